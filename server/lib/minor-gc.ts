import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes received between two collections: well below the 64 MB of new buffers at which V8 goes through its whole heap. */
const EVERY_BYTES = 16 * 1024 * 1024;

/**
 * Has V8 collect its young objects, in about a millisecond, once enough has been received. Sockets hand over new buffers of
 * 64 kB all the time. V8 frees those when its space for young objects is full; but they lie outside that space, so that
 * under uploads V8 went through its whole heap several times a second instead.
 */
export class MinorGc {
  readonly #collect: () => void;
  #received = 0;

  constructor(collectYoung: () => void = young) {
    this.#collect = collectYoung;
  }

  received(bytes: number): void {
    this.#received += bytes;
    if (this.#received < EVERY_BYTES) return;
    this.#received = 0;
    this.#collect();
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
