import { ProtocolError } from "../../protocol/errors.ts";
import type { Hash, RunId, TicketId } from "../../protocol/ids.ts";
import { type Receipt, signReceipt } from "../../protocol/receipt.ts";
import type { SignedRequest } from "../../protocol/request.ts";
import type { Upload } from "../../protocol/upload.ts";
import type { IndexedDelta } from "../store/store.ts";
import type { Acknowledged } from "./acknowledged.ts";
import { admit, type Situation } from "./admission.ts";
import { authenticate } from "./check.ts";
import type { RecordEntries } from "./index-feed.ts";
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
    readonly definition: Situation["definition"] & { readonly id: RunId };
    readonly index: Pick<LiveRun["index"], "delta" | "behind" | "rebuild">;
  };
  /** The run clock, whoever keeps it. */
  readonly clock: Pick<LiveRun["clock"], "now">;
  readonly identity: Pick<ServerIdentity, "signer">;
  /**
   * Makes a delta durable that was checked, before it resolves; to what its receipt says. Rejects where it is not to be
   * kept, or cannot be.
   */
  readonly keep: (delta: Acknowledged) => Promise<IndexedDelta>;
  /** The index's entries of the journal's records before one: an index that has lost some is filled from these. */
  readonly entriesBefore: (before: number) => AsyncIterable<RecordEntries>;
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
    const { run, identity, clock, keep } = this.#parts;
    const { id, task, delta: codec } = run.definition;
    const receiver = { id, signer: identity.signer, parameters: task.parameters, delta: codec };
    const { delta, frame } = await authenticate(upload, sender, receiver);
    upload = { ...upload, frame };
    // From here to the entry in #inFlight nothing is awaited, so no other upload can come between.
    const { ticket } = upload;
    const known = this.#inFlight.get(ticket.id) ?? run.index.delta(ticket.id);
    if (known !== undefined) {
      if (known.delta !== delta)
        throw new ProtocolError("ticket-used", "another delta was accepted for this ticket");
      return "receipt" in known ? known.receipt : this.#receiptOf(known);
    }
    if (run.state.used.has(ticket.id)) throw this.#indexLost();
    this.#requireReceipts();
    const { state, definition } = run;
    const now = clock.now();
    const norm = admit(upload, { state, definition, now, coming: this.#inFlight.size });
    const receipt = keep({ upload, delta, at: now, norm, from }).then((kept) => this.#receiptOf(kept));
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
    const { run, entriesBefore } = this.#parts;
    void run.index.rebuild(run.definition.id, entriesBefore);
    return new ProtocolError("not-durable", "the index of receipts is being filled again", REBUILD_RETRY_MS);
  }

  /** Throws `not-durable` where no receipt could be given now, however good the delta is. */
  #requireReceipts(): void {
    const { closed, index } = this.#parts.run;
    if (closed) throw new ProtocolError("not-durable", "the server is stopping", STOPPING_RETRY_MS);
    if (index.behind > MAX_BEHIND)
      throw new ProtocolError("not-durable", "the index of receipts cannot be written", REBUILD_RETRY_MS);
  }

  /** Made from the journal alone, and Ed25519 is deterministic: the same receipt whenever asked. */
  async #receiptOf(delta: IndexedDelta): Promise<Receipt> {
    const { run, identity } = this.#parts;
    return signReceipt(identity.signer, { run: run.definition.id, ...delta });
  }
}
