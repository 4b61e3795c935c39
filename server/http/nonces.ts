import { ProtocolError } from "../../protocol/errors.ts";
import type { ServerNonce, TicketId, VolunteerKey } from "../../protocol/ids.ts";

/** Milliseconds from one server nonce to the next: ten times a slow upload and the wait for a turn together. */
const PERIOD_MS = 600_000;

/** Requests that were signed for one server nonce, and the nonces they used. */
interface Period {
  readonly serverNonce: ServerNonce;
  readonly began: number;
  readonly used: Set<string>;
}

/**
 * Which signed requests are still good, and which were used (rule S3). A request names the newest nonce of the
 * server that its sender had seen, and is taken while that is the current one or the one before; for so long its
 * own nonce is remembered. A nonce that is forgotten, by time, for lack of room or in a restart, is therefore refused.
 * No clock but the server's own has a part in it.
 */
export class Nonces {
  readonly #half: number;
  readonly #now: () => number;
  readonly #draw: () => ServerNonce;
  #current: Period;
  #before: Period | undefined;

  /** `now` is monotonic, in milliseconds; `draw` gives a nonce that nobody can foresee. */
  constructor(capacity: number, now: () => number, draw: () => ServerNonce) {
    this.#half = Math.max(1, Math.floor(capacity / 2));
    this.#now = now;
    this.#draw = draw;
    this.#current = this.#begin();
  }

  /** How many used nonces are remembered. */
  get size(): number {
    return this.#current.used.size + (this.#before?.used.size ?? 0);
  }

  /** The nonce that requests must be signed for now. */
  get serverNonce(): ServerNonce {
    return this.#latest().serverNonce;
  }

  /** Throws `server-nonce-expired` unless requests that are signed for this nonce are still taken. */
  requireFresh(serverNonce: ServerNonce): void {
    this.#find(serverNonce);
  }

  /** Remembers a nonce. Throws `nonce-reused` when this volunteer sent it before, `server-nonce-expired` when it is late. */
  use(volunteer: VolunteerKey, nonce: TicketId, serverNonce: ServerNonce): void {
    const period = this.#find(serverNonce);
    const used = `${volunteer}${nonce}`;
    if (period.used.has(used)) {
      throw new ProtocolError("nonce-reused", "this request was made before: draw a new nonce");
    }
    period.used.add(used);
    // A full period is over early: forgetting its nonces alone would let them be used again.
    if (period.used.size >= this.#half) this.#turn(period);
  }

  #find(serverNonce: ServerNonce): Period {
    const current = this.#latest();
    if (current.serverNonce === serverNonce) return current;
    if (this.#before?.serverNonce === serverNonce) return this.#before;
    throw new ProtocolError(
      "server-nonce-expired",
      "the request was signed too long ago, or before this server started: sign it again",
    );
  }

  #latest(): Period {
    const age = this.#now() - this.#current.began;
    if (age < PERIOD_MS) return this.#current;
    this.#before = age < 2 * PERIOD_MS ? this.#current : undefined;
    this.#current = this.#begin();
    return this.#current;
  }

  #turn(full: Period): void {
    if (full === this.#current) {
      this.#before = full;
      this.#current = this.#begin();
    } else this.#before = undefined;
  }

  #begin(): Period {
    return { serverNonce: this.#draw(), began: this.#now(), used: new Set() };
  }
}
