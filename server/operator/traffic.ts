import type { Socket } from "node:net";
import type { Overview } from "../../protocol/operator.ts";

/** Milliseconds that a rate looks back. */
const WINDOW_MS = 60_000;

/** Bytes in and out of every socket, encrypted where they are. */
export class Traffic {
  readonly #now: () => number;
  readonly #open = new Set<Socket>();
  #closed = { up: 0, down: 0 };
  #marks: { readonly at: number; readonly up: number; readonly down: number }[];

  /** `now` is monotonic, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#marks = [{ at: now(), up: 0, down: 0 }];
  }

  watch(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#closed = {
        up: this.#closed.up + socket.bytesRead,
        down: this.#closed.down + socket.bytesWritten,
      };
    });
  }

  /** Sockets that are open. */
  get connections(): number {
    return this.#open.size;
  }

  /** Marks the count, for rates. Call it every few seconds. */
  mark(): void {
    const at = this.#now();
    this.#marks = [...this.#marks.filter((one) => at - one.at <= WINDOW_MS), { at, ...this.#total() }];
  }

  read(): Overview["traffic"] {
    const total = this.#total();
    const since = this.#marks[0] ?? { at: this.#now(), ...total };
    const seconds = Math.max(1, (this.#now() - since.at) / 1_000);
    return {
      ...total,
      upPerSecond: (total.up - since.up) / seconds,
      downPerSecond: (total.down - since.down) / seconds,
    };
  }

  #total(): { readonly up: number; readonly down: number } {
    let { up, down } = this.#closed;
    for (const { bytesRead, bytesWritten } of this.#open) {
      up += bytesRead;
      down += bytesWritten;
    }
    return { up, down };
  }
}
