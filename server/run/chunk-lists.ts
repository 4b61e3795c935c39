import { CHUNK_BYTES, type ChunkList, signChunks } from "../../protocol/chunks.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { ObjectName, RunId } from "../../protocol/ids.ts";
import { forgetOldest } from "../lib/oldest.ts";
import { chunksInPieces } from "./large-hash.ts";

/** Lists kept: a volunteer that joins needs one snapshot's, a few diffs' and its shard's. */
const KEPT = 256;

/** Signed chunk lists, each made once, for all who ask while it is made and for a while after (rules K1 and K2). */
export class ChunkLists {
  readonly #run: RunId;
  readonly #identity: Identity;
  readonly #kept = new Map<ObjectName, Promise<ChunkList>>();

  constructor(run: RunId, identity: Identity) {
    this.#run = run;
    this.#identity = identity;
  }

  /** The list of `object`, whose bytes `read` resolves to. Rejects with what `read` rejects with. */
  of(object: ObjectName, read: () => Promise<Uint8Array<ArrayBuffer>>): Promise<ChunkList> {
    const kept = this.#kept.get(object);
    const list = kept ?? this.#make(object, read);
    this.#kept.delete(object);
    this.#kept.set(object, list);
    forgetOldest(this.#kept, KEPT);
    return list;
  }

  #make(object: ObjectName, read: () => Promise<Uint8Array<ArrayBuffer>>): Promise<ChunkList> {
    const made = read().then(async (bytes) => {
      const hashed = await chunksInPieces(bytes);
      return signChunks(this.#identity.privateKey, { run: this.#run, object }, bytes, CHUNK_BYTES, hashed);
    });
    made.catch(() => this.#kept.delete(object));
    return made;
  }
}
