import { addFrame, checkFrame } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { ModelPlace } from "../evaluate/ports.ts";
import { Mutex } from "../lib/mutex.ts";
import { readNamedDiff } from "../run/diffs.ts";
import type { Task } from "../run/options.ts";
import { readSnapshotFile } from "../run/snapshots.ts";
import type { Store } from "../store/store.ts";

/** Bytes of weights that are kept: the next job is nearly always on the same version, or one diff behind it. */
const MAX_KEPT_BYTES = 256 * 1024 * 1024;

interface Kept {
  readonly version: number;
  readonly hash: string;
  readonly weights: Float32Array<ArrayBuffer>;
}

/** Versions' weights, put together out of what is stored: nothing is believed but the hash that was asked for. */
export class ModelReader {
  readonly #store: Pick<Store, "get">;
  readonly #task: Pick<Task, "parameters" | "encode" | "decode">;
  readonly #mutex = new Mutex();
  /** The one used last stands last. */
  #kept: readonly Kept[] = [];

  constructor(store: Pick<Store, "get">, task: Pick<Task, "parameters" | "encode" | "decode">) {
    this.#store = store;
    this.#task = task;
  }

  /** They stay as they are. Rejects where a part is not stored (any more), or the whole has another hash. */
  read(place: ModelPlace): Promise<Float32Array<ArrayBuffer>> {
    return this.#mutex.run(() => this.#read(place));
  }

  async #read(place: ModelPlace): Promise<Float32Array<ArrayBuffer>> {
    const { version, hash, from, diffs } = place;
    const near = this.#kept.findLast((one) => one.version >= from.version && one.version <= version);
    if (near?.hash === hash) {
      this.#keep(near);
      return near.weights;
    }
    const weights = near?.weights.slice() ?? (await this.#stored(from.hash)).slice();
    for (let at = near?.version ?? from.version; at < version; at++) {
      const diff = await readNamedDiff(this.#store, at, diffs[at - from.version]!);
      if (diff === undefined) throw new Error(`the diff from version ${at} is not stored`);
      checkFrame(diff, this.#task.parameters);
      addFrame(diff, weights, 1);
    }
    if ((await sha256(this.#task.encode(weights.slice()))) !== hash) {
      this.#kept = [];
      throw new Error(`version ${version} comes to another hash`);
    }
    this.#keep({ version, hash, weights });
    return weights;
  }

  async #stored(hash: ModelPlace["hash"]): Promise<Float32Array<ArrayBuffer>> {
    const file = await readSnapshotFile(this.#store, hash);
    if (file === undefined) throw new Error(`snapshot ${hash} is not stored`);
    return this.#task.decode(file);
  }

  #keep(newest: Kept): void {
    const others = this.#kept.filter((one) => one.version !== newest.version);
    const most = Math.max(1, Math.floor(MAX_KEPT_BYTES / newest.weights.byteLength));
    this.#kept = [...others, newest].slice(-most);
  }
}
