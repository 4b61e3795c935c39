import { writeSync } from "node:fs";
import { Socket } from "node:net";

/** Characters that wait for a reader that does not read. Later text is dropped, and counted. */
export const MAX_WAITING = 1024 * 1024;

/** The part of a stream that bounding it needs. */
export interface Sink {
  /** Characters and bytes that wait for the reader. */
  readonly writableLength: number;
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * A command's stdout or stderr, for a reader that may be slow, stop reading without closing, or be a file on a full disk:
 * `| less`, a terminal that was stopped with Ctrl-S or whose connection is dead, a log collector that hangs. Never waits,
 * never throws, and never holds more than {@link MAX_WAITING}; once there is room again it says how much was dropped.
 */
export class BoundedOutput {
  readonly #sink: Sink;
  #dropped = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get isTTY(): boolean {
    return this.#sink.isTTY === true;
  }

  /** Whether some of it has not been read. */
  get waits(): boolean {
    return this.#sink.writableLength > 0;
  }

  write(text: string): void {
    if (this.#sink.writableLength + text.length > MAX_WAITING) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      this.#sink.write(`(${this.#dropped} earlier lines were dropped: nobody read this output)\n`);
      this.#dropped = 0;
    }
    this.#sink.write(text);
  }
}

/** Node's stream for stdout (1) or stderr (2), made so that a write to it never waits for its reader. */
export function boundedOutput(
  stream: NodeJS.WritableStream & { readonly fd: number; readonly isTTY?: boolean },
): BoundedOutput {
  // Its reader may leave (`serve | head`): lines are lost, and no work is.
  stream.on("error", () => {});
  // A file never waits. Node's own stream is destroyed by its first failed write, and would stay so when there is room again.
  if (!(stream instanceof Socket)) return new BoundedOutput(fileSink(stream.fd));
  // Node writes to pipes in the background, but waits for terminals.
  if (stream.isTTY) stopWaiting(stream);
  return new BoundedOutput(stream);
}

const fileSink = (fd: number): Sink => ({
  writableLength: 0,
  write(text) {
    try {
      writeSync(fd, text);
    } catch {} // no space: the line is lost
  },
});

/** Node has no public way to write to a terminal in the background; where its private one is gone, writes wait. */
function stopWaiting(stream: object): void {
  const handle: unknown = Reflect.get(stream, "_handle");
  if (typeof handle !== "object" || handle === null) return;
  const setBlocking: unknown = Reflect.get(handle, "setBlocking");
  if (typeof setBlocking === "function") setBlocking.call(handle, false);
}
