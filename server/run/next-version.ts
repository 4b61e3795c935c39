import { addFrame } from "../../protocol/frame.ts";
import type { Hash } from "../../protocol/ids.ts";
import { behind, type Vectors } from "../merge/vectors.ts";
import type { Diffs } from "./diffs.ts";
import { hashInPieces } from "./large-hash.ts";
import type { Task } from "./options.ts";

/** A version's vectors and the file they are published as. */
export interface VersionBytes {
  readonly vectors: Vectors;
  readonly file: Uint8Array<ArrayBuffer>;
}

/** The frame that leads from a version to the next, and its SHA-256. */
export interface Diff {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly hash: Hash;
}

/** A version as its event names it; a roll-back's has no diff. */
export interface Followed {
  readonly version: number;
  readonly hash: Hash;
  readonly diff?: Hash;
}

export interface NextVersionParts {
  readonly task: Pick<Task, "encode" | "head">;
  readonly diffs: Pick<Diffs, "save" | "drop" | "follow">;
  /** A version that is stored whole. Rejects with a StoreError. */
  readonly load: (hash: Hash) => Promise<Vectors>;
}

/** The version that is made ready before its event is durable: merged, taken back, or by another process. */
export class NextVersion {
  readonly #parts: NextVersionParts;
  #ready: VersionBytes | undefined;

  constructor(parts: NextVersionParts) {
    this.#parts = parts;
  }

  /** Makes a merged version ready: its diff is durable when this resolves. */
  async merged(from: number, vectors: Vectors, diff: Diff): Promise<VersionBytes> {
    const next = this.#bytesOf(vectors);
    await this.#parts.diffs.save(from, diff.hash, diff.frame);
    this.#ready = next;
    return next;
  }

  /** Makes the weights of a stored version ready again, as `version`. Rejects with a StoreError. */
  async stored(hash: Hash, version: number): Promise<VersionBytes> {
    const vectors = await this.#parts.load(hash);
    await this.#parts.diffs.drop(version - 1); // of a merge that came to nothing
    this.#ready = this.#bytesOf(vectors);
    return this.#ready;
  }

  /**
   * Makes a version ready that another process has published: by the diff that leads there from `current`, or from where it
   * is stored whole. Rejects with a StoreError where neither can be had any more.
   */
  async followed(current: Vectors, { version, hash, diff }: Followed): Promise<void> {
    const frame = diff && (await this.#parts.diffs.follow(version - 1, diff));
    if (frame !== undefined) {
      const x = behind(this.#parts.task.head?.length ?? 0, current.x);
      addFrame(frame, x, 1);
      const next = this.#bytesOf({ ...current, x });
      if ((await hashInPieces(next.file)) === hash) {
        this.#ready = next;
        return;
      }
    }
    this.#ready = this.#bytesOf(await this.#parts.load(hash));
  }

  /** Hands over the version that is ready, once. Throws where there is none. */
  take(): VersionBytes {
    const next = this.#ready;
    if (next === undefined) throw new Error("a version was published that was not merged");
    this.#ready = undefined;
    return next;
  }

  #bytesOf(vectors: Vectors): VersionBytes {
    return versionBytes(this.#parts.task, vectors);
  }
}

/**
 * A version with its file, whose memory x shares where it can: the values lie in the file as they are. Where x does already
 * the vectors are the same object: by that the merging threads know them, and need not copy x for the next version.
 */
export function versionBytes(task: Pick<Task, "encode" | "head">, vectors: Vectors): VersionBytes {
  const file = task.encode(vectors.x);
  const lead = task.head?.length;
  if (lead === undefined || (file.byteOffset + lead) % Float32Array.BYTES_PER_ELEMENT > 0)
    return { vectors, file };
  const { buffer, byteOffset } = vectors.x;
  if (buffer === file.buffer && byteOffset === file.byteOffset + lead) return { vectors, file };
  const x = new Float32Array(file.buffer, file.byteOffset + lead, vectors.x.length);
  return { vectors: { ...vectors, x }, file };
}
