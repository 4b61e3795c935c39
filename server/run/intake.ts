import { ProtocolError } from "../../protocol/errors.ts";
import type { Hash, RunId, TicketId } from "../../protocol/ids.ts";
import { type Receipt, signReceipt } from "../../protocol/receipt.ts";
import type { SignedRequest } from "../../protocol/request.ts";
import { donePart, type TicketTerms } from "../../protocol/ticket.ts";
import { stepsDone, type Upload, uploadTokens } from "../../protocol/upload.ts";
import type { Accepted } from "../coordinator/events.ts";
import { sixDigits } from "../lib/six-digits.ts";
import type { Facts } from "../trust/candidate.ts";
import { admit, requireSpace, type Situation } from "./admission.ts";
import { authenticate } from "./check.ts";
import type { RecordFacts } from "./index-feed.ts";
import type { LiveRun } from "./live-run.ts";
import type { ServerIdentity } from "./server-key.ts";

/** Milliseconds after which a sender may try again: at the server's next start, and when the index is filled. */
const STOPPING_RETRY_MS = 5_000;
const REBUILD_RETRY_MS = 5_000;
/** Deltas that may wait in memory for an index that cannot be written: 20,000 are about 10 MB. */
const MAX_BEHIND = 20_000;

interface InFlight {
  readonly delta: Hash;
  readonly receipt: Promise<Receipt>;
}

export interface IntakeParts {
  readonly run: Pick<LiveRun, "state" | "closed"> & {
    readonly definition: Situation["definition"] & {
      readonly id: RunId;
      readonly rules: Pick<LiveRun["definition"]["rules"], "context" | "ranges">;
    };
    readonly clock: Pick<LiveRun["clock"], "now">;
    readonly events: Pick<LiveRun["events"], "record">;
    readonly index: Pick<LiveRun["index"], "delta" | "behind" | "rebuild">;
    readonly quality: Pick<LiveRun["quality"], "gauge" | "audit">;
  };
  readonly identity: Pick<ServerIdentity, "signer">;
  /** The index's facts of the journal's records before one: an index that has lost some is filled from these. */
  readonly factsBefore: (before: number) => AsyncIterable<RecordFacts>;
}

/** Where deltas come in: checked, made durable, and only then receipted; each once, however often it is sent. */
export class Intake {
  readonly #parts: IntakeParts;
  /** Uploads between their checks and their receipts. */
  readonly #inFlight = new Map<TicketId, InFlight>();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** `from` names the sender's network, where that is known. */
  async accept(sender: SignedRequest, upload: Upload, from?: string): Promise<Receipt> {
    const { run, identity } = this.#parts;
    const { id, task, delta: codec } = run.definition;
    const receiver = { id, signer: identity.signer, parameters: task.parameters, delta: codec };
    const delta = await authenticate(upload, sender, receiver);
    // From here to the entry in #inFlight nothing is awaited, so no other upload can come between.
    const { ticket } = upload;
    const coming = this.#inFlight.get(ticket.id);
    const known = coming ?? run.index.delta(ticket.id);
    if (known !== undefined) {
      if (known.delta === delta) return coming?.receipt ?? this.#receiptOf(ticket.id);
      throw new ProtocolError("ticket-used", "another delta was accepted for this ticket");
    }
    if (run.state.used.has(ticket.id)) throw this.#indexLost();
    this.#requireReceipts();
    const { state, definition, clock } = run;
    const norm = admit(upload, { state, definition, now: clock.now(), coming: this.#inFlight.size });
    const done = donePart(ticket, stepsDone(upload));
    const facts = run.quality.gauge?.measure(done, upload.frame, norm, from);
    if (facts !== undefined) requireSpace(facts, state);
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
    const { run, factsBefore } = this.#parts;
    void run.index.rebuild(run.definition.id, factsBefore);
    return new ProtocolError("not-durable", "the index of receipts is being filled again", REBUILD_RETRY_MS);
  }

  /** Throws `not-durable` where no receipt could be given now, however good the delta is. */
  #requireReceipts(): void {
    const { closed, index } = this.#parts.run;
    if (closed) throw new ProtocolError("not-durable", "the server is stopping", STOPPING_RETRY_MS);
    if (index.behind > MAX_BEHIND)
      throw new ProtocolError("not-durable", "the index of receipts cannot be written", REBUILD_RETRY_MS);
  }

  async #keep(upload: Upload, delta: Hash, norm: number, facts: Facts | undefined): Promise<void> {
    const { run } = this.#parts;
    const { ticket, report, frame } = upload;
    const { rules } = run.definition;
    const at = run.clock.now();
    const { id, volunteer, version } = ticket;
    const tokens = uploadTokens(upload, rules.context);
    const candidate = { ticket: id, volunteer, version, tokens, ...(facts && { facts }) };
    await run.events.record(
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
    run.quality.audit(upload, candidate);
  }

  /** Made from the journal's facts alone, and Ed25519 is deterministic: the same receipt whenever asked. */
  async #receiptOf(ticket: TicketId): Promise<Receipt> {
    const { run, identity } = this.#parts;
    const delta = run.index.delta(ticket);
    if (delta === undefined) throw new ProtocolError("internal-error", "an accepted delta is not indexed");
    return signReceipt(identity.signer, { run: run.definition.id, ...delta });
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
