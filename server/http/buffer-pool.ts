/** Bytes below which a buffer is not worth keeping. */
const MIN_BYTES = 64 * 1024;

/**
 * Buffers that were used and may be used again, up to `most` bytes of them. V8 looks through its whole heap for every
 * 64 MB or so of new buffers: a hundred deltas a second cost more that way than their signatures.
 */
export class BufferPool {
  readonly #most: number;
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** A buffer of at least this many bytes, and less than twice as many, with anything in it. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const at = this.#buffers.findLastIndex(({ length }) => length >= bytes && length < 2 * bytes);
    if (at < 0) return new Uint8Array(bytes < MIN_BYTES ? bytes : MIN_BYTES * Math.ceil(bytes / MIN_BYTES));
    const [buffer] = this.#buffers.splice(at, 1);
    this.#bytes -= buffer!.length;
    return buffer!;
  }

  /** Gives one back, which nobody looks at any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer.length < MIN_BYTES || this.#bytes + buffer.length > this.#most) return;
    this.#buffers.push(buffer);
    this.#bytes += buffer.length;
  }
}
