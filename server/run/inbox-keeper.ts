import { ProtocolError } from "../../protocol/errors.ts";
import type { Inbox } from "../store/inbox.ts";
import type { IndexedDelta } from "../store/store.ts";
import { type Acknowledged, decodeAcknowledged, encodeAcknowledged, indexedOf } from "./acknowledged.ts";
import type { IndexFeed } from "./index-feed.ts";

/**
 * Keeps deltas where the server that leads finds them: of a run with several servers, each of which keeps them so, also
 * while none leads. Whichever of them a delta is sent to, all receipts are made from the message that was kept.
 */
export class InboxKeeper {
  readonly #inbox: Pick<Inbox, "put">;
  /** Tokens of a sequence. */
  readonly #context: number;
  readonly #index: Pick<IndexFeed, "expect">;

  constructor(inbox: Pick<Inbox, "put">, context: number, index: Pick<IndexFeed, "expect">) {
    this.#index = index;
    this.#inbox = inbox;
    this.#context = context;
  }

  /** Rejects with `ticket-used` where another delta of its ticket is kept, and with what the inbox rejects with. */
  readonly keep = async (delta: Acknowledged): Promise<IndexedDelta> => {
    const sent = encodeAcknowledged(delta);
    const message = await this.#inbox.put(delta.upload.ticket.id, sent);
    const kept = message === sent ? delta : decodeAcknowledged(message);
    if (kept.delta !== delta.delta)
      throw new ProtocolError("ticket-used", "another delta was accepted for this ticket");
    const indexed = indexedOf(kept, this.#context);
    this.#index.expect(indexed);
    return indexed;
  };
}
