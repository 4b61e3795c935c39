import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes received between two sweeps: well below the 64 MB of new buffers at which V8 goes through its whole heap. */
const EVERY_BYTES = 16 * 1024 * 1024;

/**
 * Has V8 look for garbage among what is young, in about a millisecond, once enough has been received. Sockets hand over
 * ever new buffers of 64 kB, which V8 lets go of when its room for young objects is full; they fill none of that, so
 * that under uploads it went through its whole heap several times a second instead.
 */
export class Sweep {
  readonly #sweep: () => void;
  #received = 0;

  constructor(sweep: () => void = young) {
    this.#sweep = sweep;
  }

  received(bytes: number): void {
    this.#received += bytes;
    if (this.#received < EVERY_BYTES) return;
    this.#received = 0;
    this.#sweep();
  }
}

let collect: unknown;

function young(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc"); // seen by contexts made from now on
    collect = runInNewContext("globalThis.gc ?? null");
    setFlagsFromString("--no-expose-gc");
  }
  if (typeof collect === "function") collect({ type: "minor" });
}
