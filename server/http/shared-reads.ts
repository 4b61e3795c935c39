import { ProtocolError } from "../../protocol/errors.ts";
import { BUSY_RETRY_MS } from "../net/limits.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Files read for askers, kept while there is room, oldest use first to go, and read once for all who ask at the same
 * time: a thousand volunteers fetch the same diff within a second. Only so many are read from the disk at once, so
 * that nobody fills the memory by asking for everything.
 */
export class SharedReads {
  readonly #mostBytes: number;
  readonly #mostReading: number;
  readonly #kept = new Map<string, Bytes>();
  readonly #reading = new Map<string, Promise<Bytes>>();
  #bytes = 0;

  constructor(most: { readonly bytes: number; readonly reading: number }) {
    this.#mostBytes = most.bytes;
    this.#mostReading = most.reading;
  }

  /** Bytes kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes of `name`, from memory or by `read`. Throws `too-many-requests`, and what `read` throws. */
  async read(name: string, read: () => Promise<Bytes>): Promise<Bytes> {
    const kept = this.#kept.get(name);
    if (kept !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, kept);
      return kept;
    }
    const reading = this.#reading.get(name);
    if (reading !== undefined) return reading;
    if (this.#reading.size >= this.#mostReading) {
      throw new ProtocolError("too-many-requests", "too many files are being read", BUSY_RETRY_MS);
    }
    const begun = read();
    this.#reading.set(name, begun);
    try {
      const bytes = await begun;
      this.#keep(name, bytes);
      return bytes;
    } finally {
      this.#reading.delete(name);
    }
  }

  #keep(name: string, bytes: Bytes): void {
    if (bytes.length > this.#mostBytes) return;
    this.#kept.set(name, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= this.#mostBytes) break;
      this.#kept.delete(oldest);
      this.#bytes -= length;
    }
  }
}
