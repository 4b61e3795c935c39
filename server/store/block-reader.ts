import { closeSync, openSync, readSync } from "node:fs";
import { isSound, recordsOf } from "./segment.ts";
import { type RecordPlace, StoreError } from "./store.ts";

/** Bytes of blocks held at once, in memory that is allocated once. */
const BUFFER_BYTES = 32 * 1024 * 1024;

/** Reads a journal's records synchronously and from any thread; its results stay valid until {@link forget}. */
export class BlockReader {
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #used = 0;
  #file: { readonly path: string; readonly descriptor: number } | undefined;
  #block: { readonly at: string; readonly records: readonly Uint8Array<ArrayBuffer>[] } | undefined;

  /** Whether a record can be read without making room first. */
  fits({ bytes }: RecordPlace): boolean {
    return this.#used === 0 || this.#used + bytes <= BUFFER_BYTES;
  }

  /** Throws a StoreError for what is no sound block, and what Node throws of a file that cannot be read. */
  read({ path, salt, offset, bytes, before }: RecordPlace): Uint8Array<ArrayBuffer> {
    const at = `${path} ${offset}`;
    if (this.#block?.at !== at) {
      const block = this.#place(bytes);
      const descriptor = this.#open(path);
      for (let got = 0; got < bytes; ) {
        const more = readSync(descriptor, block, got, bytes - got, offset + got);
        if (more === 0) throw new StoreError(`${path} has ended before byte ${offset + bytes}`);
        got += more;
      }
      if (!isSound(salt, block)) throw new StoreError(`${path} was changed at byte ${offset}`);
      this.#block = { at, records: recordsOf(block, false) };
    }
    const record = this.#block.records[before];
    if (record === undefined) throw new StoreError(`${path} has no record ${before} at byte ${offset}`);
    return record;
  }

  /** Makes room: what was given before is spoilt by what is read next. */
  forget(): void {
    this.#used = 0;
    this.#block = undefined;
  }

  close(): void {
    this.forget();
    this.#shut();
  }

  #place(bytes: number): Uint8Array<ArrayBuffer> {
    this.#buffer ??= new Uint8Array(BUFFER_BYTES);
    if (this.#used + bytes > BUFFER_BYTES) return new Uint8Array(bytes);
    this.#used += bytes;
    return this.#buffer.subarray(this.#used - bytes, this.#used);
  }

  #shut(): void {
    if (this.#file !== undefined) closeSync(this.#file.descriptor);
    this.#file = undefined;
  }

  #open(path: string): number {
    if (this.#file?.path === path) return this.#file.descriptor;
    this.#shut();
    const descriptor = openSync(path, "r");
    this.#file = { path, descriptor };
    return descriptor;
  }
}
