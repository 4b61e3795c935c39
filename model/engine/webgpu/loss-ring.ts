import { RING } from "./memory.ts";
import type { Piece, Readback } from "./readback.ts";

/** Losses of steps, which stay on the device until somebody asks or the ring is full. */
export class LossRing {
  readonly #buffer: GPUBuffer;
  readonly #readback: Pick<Readback, "read">;
  /** Losses on the device, and those already fetched. */
  #pending = 0;
  #fetched: Float32Array[] = [];

  /** `buffer` holds {@link RING} of them. */
  constructor(buffer: GPUBuffer, readback: Pick<Readback, "read">) {
    this.#buffer = buffer;
    this.#readback = readback;
  }

  clear(): void {
    this.#pending = 0;
    this.#fetched = [];
  }

  /** The place of the next step's loss. */
  async claim(): Promise<number> {
    if (this.#pending === RING) await this.#fetch();
    return this.#pending++;
  }

  /** Losses on the device, for a caller that reads something else anyway and then calls {@link keep}. */
  pieces(): Piece[] {
    return this.#pending > 0 ? [{ buffer: this.#buffer, from: 0, length: this.#pending }] : [];
  }

  /** Keeps what {@link pieces} were on the host. */
  keep(values: readonly Float32Array[]): void {
    this.#fetched.push(...values);
    this.#pending = 0;
  }

  /** All losses since the last call, in order. */
  async take(): Promise<Float32Array> {
    await this.#fetch();
    const joined = new Float32Array(this.#fetched.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#fetched.splice(0)) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  async #fetch(): Promise<void> {
    const pieces = this.pieces();
    if (pieces.length > 0) this.keep(await this.#readback.read(pieces));
  }
}
