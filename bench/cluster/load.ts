import { setTimeout as sleep } from "node:timers/promises";
import { canonicalJson } from "../../protocol/canonical.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { HttpVolunteer, smallDelta } from "../../test/harness/http-volunteer.ts";
import type { Seat } from "../../test/harness/seat.ts";

/** Milliseconds before a volunteer tries again whom nobody answered, or who was told to. */
const AGAIN_MS = 100;
/** Milliseconds without a receipt after which the run is taken for stuck. */
const STUCK_MS = 90_000;
/** Refusals after which a delta is given up: its version is past, or its volunteer. */
const FINAL = new Set(["stale", "quarantined", "bad-ticket", "lease-expired", "ticket-used"]);

/** Volunteers that ask any server for work and send each delta until a receipt comes, to whichever server answers then. */
export class Load {
  readonly receipts = new Map<TicketId, Receipt>();
  /** Receipts that were not those given before for the same delta. */
  otherReceipts = 0;
  internalErrors = 0;
  readonly #seats: readonly Seat[];
  readonly #parameters: number;
  readonly #working: readonly Promise<void>[];
  #last = performance.now();
  #over = false;

  constructor(seats: readonly Seat[], parameters: number, volunteers: number) {
    this.#seats = seats;
    this.#parameters = parameters;
    this.#working = Array.from({ length: volunteers }, (_, place) => this.#work(place, volunteers));
  }

  /** Resolves to the milliseconds from `since` to the next receipt. Rejects where none comes for long. */
  async next(since: number): Promise<number> {
    while (this.#last <= since) {
      if (performance.now() - since > STUCK_MS) throw new Error("no receipt for a minute and a half");
      await sleep(10);
    }
    return this.#last - since;
  }

  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#working);
  }

  readonly #send: HttpVolunteer["send"] = (path, init) => {
    const open = this.#seats.filter((seat) => seat.role !== undefined);
    const origin = open[Math.floor(Math.random() * open.length)]?.origin;
    return origin === undefined ? Promise.reject(new Error("nobody answers")) : fetch(origin + path, init);
  };

  /** A delta in ten is sent twice. */
  async #work(place: number, volunteers: number): Promise<void> {
    let volunteer = await HttpVolunteer.create(this.#send);
    let open: { ticket: Ticket; frame: Uint8Array } | undefined;
    for (let delta = 0; !this.#over; ) {
      try {
        const ticket = open?.ticket ?? (await volunteer.ticket());
        open ??= { ticket, frame: smallDelta(this.#parameters, place + volunteers * ++delta, ticket) };
        this.#note(ticket, await volunteer.upload(ticket, open.frame));
        if (delta % 10 === 0) this.#note(ticket, await volunteer.upload(ticket, open.frame));
        open = undefined;
      } catch (error) {
        const code = error instanceof ProtocolError ? error.code : undefined;
        if (code === "internal-error") this.internalErrors += 1;
        if (code !== undefined && FINAL.has(code)) {
          if (code === "quarantined") volunteer = await HttpVolunteer.create(this.#send);
          open = undefined;
        } else await sleep(AGAIN_MS);
      }
    }
  }

  #note(ticket: Ticket, receipt: Receipt): void {
    const before = this.receipts.get(ticket.id);
    if (before !== undefined && canonicalJson(before) !== canonicalJson(receipt)) this.otherReceipts += 1;
    this.receipts.set(ticket.id, receipt);
    this.#last = performance.now();
  }
}
