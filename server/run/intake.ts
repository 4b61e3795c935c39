import { ProtocolError } from "../../protocol/errors.ts";
import type { Hash, TicketId } from "../../protocol/ids.ts";
import { type Receipt, signReceipt } from "../../protocol/receipt.ts";
import type { SignedRequest } from "../../protocol/request.ts";
import { donePart, type TicketTerms } from "../../protocol/ticket.ts";
import { stepsDone, type Upload, uploadTokens } from "../../protocol/upload.ts";
import type { Accepted } from "../coordinator/events.ts";
import { MAX_POOL, PAUSED_RETRY_MS } from "../coordinator/rules.ts";
import { sixDigits } from "../lib/six-digits.ts";
import type { Store } from "../store/store.ts";
import type { Facts } from "../trust/candidate.ts";
import { admitted, standingOf } from "../trust/standing.ts";
import { MAX_SUSPECTS, medianSize, suspicionOf } from "../trust/weigh.ts";
import { authenticate, judge } from "./check.ts";
import { factsBefore } from "./facts.ts";
import type { LiveRun } from "./live-run.ts";
import type { ServerIdentity } from "./server-key.ts";

const STOPPING_RETRY_MS = 5_000;
const REBUILD_RETRY_MS = 5_000;
/** Deltas that may wait in memory for an index that cannot be written: 20,000 are about 10 MB. */
const MAX_BEHIND = 20_000;

interface InFlight {
  readonly delta: Hash;
  readonly receipt: Promise<Receipt>;
}

/** Where deltas come in: checked, made durable, and only then receipted; each once, however often it is sent. */
export class Intake {
  readonly #run: LiveRun;
  readonly #identity: ServerIdentity;
  readonly #store: Store;
  /** Uploads between their checks and their receipts. */
  readonly #inFlight = new Map<TicketId, InFlight>();

  constructor(run: LiveRun, identity: ServerIdentity, store: Store) {
    this.#run = run;
    this.#identity = identity;
    this.#store = store;
  }

  /** `from` names the sender's network, where that is known. */
  async accept(sender: SignedRequest, upload: Upload, from?: string): Promise<Receipt> {
    const { id, task, delta: codec } = this.#run.definition;
    const receiver = { id, signer: this.#identity.signer, parameters: task.parameters, delta: codec };
    const delta = await authenticate(upload, sender, receiver);
    // From here to the entry in #inFlight nothing is awaited, so no other upload can come between.
    const { ticket } = upload;
    const coming = this.#inFlight.get(ticket.id);
    const known = coming ?? this.#run.index.delta(ticket.id);
    if (known !== undefined) {
      if (known.delta === delta) return coming?.receipt ?? this.#receiptOf(ticket.id);
      throw new ProtocolError("ticket-used", "another delta was accepted for this ticket");
    }
    if (this.#run.state.used.has(ticket.id)) throw this.#indexLost();
    const norm = this.#judge(upload);
    const done = donePart(ticket, stepsDone(upload));
    const facts = this.#run.quality.gauge?.measure(done, upload.frame, norm, from);
    if (facts !== undefined) this.#requireSpace(facts);
    const receipt = this.#keep(upload, delta, norm, facts).then(() => this.#receiptOf(ticket.id));
    this.#inFlight.set(ticket.id, { delta, receipt });
    try {
      return await receipt;
    } finally {
      this.#inFlight.delete(ticket.id);
    }
  }

  /**
   * The journal has a delta for a ticket that the index knows nothing of: the index is never synced, so a power
   * loss can take a row. Journaled twice, the delta would keep the run from opening; with the index filled
   * again, the sender gets its receipt.
   */
  #indexLost(): ProtocolError {
    const { definition, index } = this.#run;
    void index.rebuild(definition.id, (before) => factsBefore(this.#store, definition.rules, before));
    return new ProtocolError("not-durable", "the index of receipts is being filled again", REBUILD_RETRY_MS);
  }

  /** The delta's norm. */
  #judge(upload: Upload): number {
    const { state, definition } = this.#run;
    if (this.#run.closed) throw new ProtocolError("not-durable", "the server is stopping", STOPPING_RETRY_MS);
    if (this.#run.index.behind > MAX_BEHIND)
      throw new ProtocolError("not-durable", "the index of receipts cannot be written", REBUILD_RETRY_MS);
    const now = this.#run.clock.now();
    const standing = standingOf(state.trust, upload.ticket.volunteer);
    if (standing.banned)
      throw new ProtocolError("banned", "the operator has banned this volunteer", PAUSED_RETRY_MS);
    if (!admitted(standing, now)) {
      const wait = Math.max(PAUSED_RETRY_MS, standing.until - now);
      throw new ProtocolError("quarantined", "a delta of this volunteer was found bad", wait);
    }
    return judge(upload, {
      version: state.version,
      now,
      floor: state.floor,
      finished: state.phase === "finished",
      waiting: state.pool.length + this.#inFlight.size,
      maxWaiting: MAX_POOL,
      parameters: definition.task.parameters,
      delta: definition.delta,
      weightDecay: definition.settings.optimizer.weightDecay,
    });
  }

  /** Suspects wait for audits, and must not fill the pool while they do. */
  #requireSpace(facts: Facts): void {
    const { pool, trust } = this.#run.state;
    const median = medianSize(pool, trust);
    if (suspicionOf({ facts }, median) === undefined) return;
    const waiting = pool.filter((delta) => suspicionOf(delta, median) !== undefined).length;
    if (waiting >= MAX_SUSPECTS) {
      throw new ProtocolError("too-many-requests", "audits have to catch up first", STOPPING_RETRY_MS);
    }
  }

  async #keep(upload: Upload, delta: Hash, norm: number, facts: Facts | undefined): Promise<void> {
    const { ticket, report, frame } = upload;
    const { rules } = this.#run.definition;
    const at = this.#run.clock.now();
    const { id, volunteer, version } = ticket;
    const tokens = uploadTokens(upload, rules.context);
    const candidate = { ticket: id, volunteer, version, tokens, ...(facts && { facts }) };
    await this.#run.events.record(
      {
        type: "accepted",
        at,
        delta,
        ...candidate,
        position: rules.ranges.positionOf(ticket.seed),
        took: Math.max(0, at - ticket.issued),
        report,
        ...askedOf(ticket, norm),
      },
      frame,
    );
    this.#run.quality.audit(upload, candidate);
  }

  /** Made from the journal's facts alone, and Ed25519 is deterministic: the same receipt whenever asked. */
  async #receiptOf(ticket: TicketId): Promise<Receipt> {
    const delta = this.#run.index.delta(ticket);
    if (delta === undefined) throw new ProtocolError("internal-error", "an accepted delta is not indexed");
    return signReceipt(this.#identity.signer, { run: this.#run.definition.id, ...delta });
  }
}

/** The terms of a ticket of a run on a clock, and its delta's norm. */
export function askedOf(ticket: TicketTerms, norm: number): Pick<Accepted, "asked" | "norm"> {
  const { steps, batch, trainFor, inner = "adamw", delta } = ticket;
  if (trainFor === undefined) return {};
  return {
    asked: { steps, batch, trainFor, inner, ...(delta && { delta }) },
    norm: sixDigits(norm),
  };
}
