import type { TicketId } from "../../protocol/ids.ts";
import type { Inbox } from "../../server/store/inbox.ts";
import type { Store } from "../../server/store/store.ts";

/** An inbox of a run's servers in memory. The one that leads looks for messages only when a test says that some came. */
export class MemoryInbox {
  readonly messages: { readonly ticket: TicketId; readonly bytes: Uint8Array<ArrayBuffer> }[] = [];
  /** What a test has happen: an edge that dies before it could answer, or a journal that is full. */
  readonly seams = {
    afterPut: async () => {},
    beforeRead: async () => {},
    beforeAppend: async (_seq: number) => {},
  };
  /** Whether a ticket has one message: without, any server's is kept. */
  once = true;
  taken = 0;
  readonly #waiting = new Set<() => void>();

  /** As the server sees it whose journal this is. */
  of(store: Pick<Store, "append">): Inbox {
    const inbox = this;
    return {
      async put(ticket, message) {
        const kept = inbox.once ? inbox.messages.find((one) => one.ticket === ticket) : undefined;
        if (kept === undefined) inbox.messages.push({ ticket, bytes: message });
        await inbox.seams.afterPut();
        return kept?.bytes ?? message;
      },
      async after(seq, most) {
        await inbox.seams.beforeRead();
        return inbox.messages
          .slice(seq, seq + most)
          .map(({ bytes }, i) => ({ seq: seq + i + 1, bytes: bytes.slice() }));
      },
      arrival: (signal) =>
        new Promise((resolve) => {
          if (signal.aborted) return resolve();
          inbox.#waiting.add(resolve);
          signal.addEventListener("abort", () => resolve(), { once: true });
        }),
      get taken() {
        return inbox.taken;
      },
      async append(head, { seq, frame, taken }) {
        await inbox.seams.beforeAppend(seq);
        const sequence = await store.append(head, frame);
        inbox.taken = Math.max(inbox.taken, taken);
        return sequence;
      },
      waiting: async () => inbox.messages.length - inbox.taken,
    };
  }

  /** Whoever waits looks again. */
  arrive(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
