import { type ChunkList, chunkLength, chunksIn } from "../../protocol/chunks.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { Bits } from "./bits.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes kept for others: the newest snapshot or two of a small model, its shards and last diffs. */
const KEPT_BYTES = 64 * 1024 * 1024;

interface Kept {
  readonly list: ChunkList;
  readonly bytes: Bytes;
  readonly have: Bits;
}

/** The objects at hand, whole or in part; every chunk in it has the hash that the server signed (rule K2). */
export class Store {
  readonly #kept = new Map<Hash, Kept>();

  list(object: Hash): ChunkList | undefined {
    return this.#kept.get(object)?.list;
  }

  /** Objects that are here whole. */
  get whole(): readonly Hash[] {
    return [...this.#kept].filter(([, { have }]) => have.whole).map(([hash]) => hash);
  }

  /** Bytes of an object that are here. */
  progress(object: Hash): number {
    const kept = this.#kept.get(object);
    return kept === undefined ? 0 : Math.min(kept.list.length, kept.have.size * kept.list.size);
  }

  /** Makes room for an object. */
  begin(list: ChunkList): void {
    if (this.#kept.has(list.hash)) return;
    const have = new Bits(chunksIn(list.length, list.size));
    this.#kept.set(list.hash, { list, bytes: new Uint8Array(list.length), have });
  }

  /** Puts a chunk in its place if it has its hash. */
  async put(object: Hash, chunk: number, bytes: Bytes): Promise<boolean> {
    const kept = this.#kept.get(object);
    if (kept === undefined || chunk >= kept.have.count) return false;
    if (bytes.length !== chunkLength(kept.list, chunk)) return false;
    if ((await sha256(bytes)) !== kept.list.chunks[chunk]) return false;
    if (!kept.have.has(chunk)) {
      kept.bytes.set(bytes, chunk * kept.list.size);
      kept.have.add(chunk);
    }
    return true;
  }

  /** Takes in an object that was made here whole; false where its bytes are not the list's. */
  async hold(list: ChunkList, bytes: Bytes): Promise<boolean> {
    if (bytes.length !== list.length || (await sha256(bytes)) !== list.hash) return false;
    this.#kept.set(list.hash, { list, bytes, have: Bits.full(chunksIn(list.length, list.size)) });
    return true;
  }

  /** A chunk, without a copy; undefined where it is not here. */
  chunk(object: Hash, chunk: number): Bytes | undefined {
    const kept = this.#kept.get(object);
    if (kept === undefined || !kept.have.has(chunk)) return undefined;
    this.#kept.delete(object); // the most recently used last
    this.#kept.set(object, kept);
    const at = chunk * kept.list.size;
    return kept.bytes.subarray(at, at + chunkLength(kept.list, chunk));
  }

  /** A copy of the whole; undefined where it is not whole. */
  copy(object: Hash): Bytes | undefined {
    const kept = this.#kept.get(object);
    return kept?.have.whole ? kept.bytes.slice() : undefined;
  }

  /** Lets go of what there is no room for, the least recently used first, but never the object named. */
  shrink(but: Hash): Hash[] {
    let total = 0;
    for (const { bytes } of this.#kept.values()) total += bytes.length;
    const gone: Hash[] = [];
    for (const [hash, { bytes, have }] of this.#kept) {
      if (total <= KEPT_BYTES) break;
      if (hash === but || !have.whole) continue;
      this.#kept.delete(hash);
      total -= bytes.length;
      gone.push(hash);
    }
    return gone;
  }
}
