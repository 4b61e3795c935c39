import { messageOf } from "../../model/lib/message-of.ts";
import { utf8 } from "../../protocol/bytes.ts";
import type { ChunkList } from "../../protocol/chunks.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import {
  diffName,
  type Hash,
  type ObjectName,
  type RunId,
  shardName,
  snapshotName,
} from "../../protocol/ids.ts";
import { pathInMirror, ROUTES } from "../../protocol/routes.ts";
import type { Log } from "../lib/log.ts";
import type { MadeVersion, VersionMirror } from "../run/options.ts";
import { type MirrorState, readState, writeState } from "./state.ts";
import { MirrorError, type MirrorTarget } from "./target.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Milliseconds from a failed write to the next try. */
const RETRY_MS = 30_000;
/** Milliseconds that a version's publication waits for the mirror to have it. */
const MAX_WAIT_MS = 5_000;
/** Snapshots kept: newcomers ask for the newest, and those that have asked just before for the one before. */
const MAX_SNAPSHOTS = 4;
/** Shards copied between two notes of which are there. */
const SHARDS_AT_ONCE = 64;
/** Diffs kept: volunteers that were away for longer take a snapshot. */
const MAX_DIFFS = 1_000;
const FOR_GOOD = {
  "content-type": "application/octet-stream",
  "cache-control": "public, max-age=31536000, immutable",
};
const LIST = { "content-type": "application/json", "cache-control": "public, max-age=60" };

/** The run that is mirrored. */
export interface MirrorSource {
  readonly run: RunId;
  /** Only ever grows. */
  shards(): readonly Hash[];
  readonly keepDiffs: number;
  newest(): { readonly version: number; readonly hash: Hash };
  /** An object's bytes. Throws `not-found` where it is not kept. */
  object(name: ObjectName): Promise<Bytes>;
  /** Its signed list of chunks. `hash` is the bytes' own. */
  sign(name: ObjectName, bytes: Bytes, hash: Hash): Promise<ChunkList>;
}

interface Job {
  readonly object: ObjectName;
  readonly bytes: () => Promise<Bytes>;
  /** SHA-256 of the bytes, where it is known. */
  readonly hash?: Hash;
  readonly done?: () => void;
}

/**
 * Copies to a mirror what volunteers will ask for: each version's diff and snapshot just before it is announced, and,
 * whenever there is nothing newer to do, what the mirror lacks. A mirror that cannot be written delays a version once, by
 * a few seconds; from then on nothing waits for it until it has caught up.
 */
export class Mirror implements VersionMirror {
  readonly url: string;
  readonly #target: MirrorTarget;
  readonly #log: Log;
  readonly #clock: () => number;
  #source: MirrorSource | undefined;
  #state: MirrorState | undefined;
  #queue: Job[] = [];
  /** A version whose publication waits: until when, and how it goes on. */
  #waiting: { readonly until: number; readonly go: () => void } | undefined;
  #working: Promise<void> | undefined;
  #retryAt = Number.NEGATIVE_INFINITY;
  /** Whether it may lack something that is not in the queue. */
  #behind = true;
  #failing = false;
  /** Whether a version had to go on without it, and it has not caught up since. */
  #slow = false;
  #closed = false;

  /** `clock` is monotonic milliseconds. */
  constructor(parts: { url: string; target: MirrorTarget; log: Log; clock: () => number }) {
    this.url = parts.url;
    this.#target = parts.target;
    this.#log = parts.log;
    this.#clock = parts.clock;
  }

  /** Whether the mirror lacks something that volunteers may ask it for. */
  get behind(): boolean {
    return this.#behind || this.#queue.length > 0 || this.#working !== undefined;
  }

  /**
   * Rejects with a {@link MirrorError} where the place is another run's. One that cannot be asked now is asked again when
   * this server has the run to mirror.
   */
  async requireOurs(run: RunId): Promise<void> {
    await readState(this.#target, run).catch((error: unknown) => {
      if (error instanceof MirrorError) throw error;
    });
  }

  /** Begins to mirror a run. Rejects with a {@link MirrorError} where the place is another run's or holds other things. */
  async attach(source: MirrorSource): Promise<void> {
    try {
      this.#state = await readState(this.#target, source.run);
    } catch (error) {
      if (error instanceof MirrorError) throw error;
      this.#fail(error);
    }
    this.#source = source;
    this.tick();
  }

  /** Resolves when the mirror has the version, or when that takes too long; never rejects. */
  async offer({ from, diff, hash, file }: MadeVersion): Promise<void> {
    const busy = this.#waiting !== undefined || this.#slow || this.#failing;
    if (this.#source === undefined || this.#closed || busy) {
      this.#behind = true; // it is copied when the mirror is well and has time
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { until: this.#clock() + MAX_WAIT_MS, go: resolve };
    this.#waiting = waiting;
    const done = () => {
      if (this.#waiting === waiting) this.#waiting = undefined;
      resolve();
    };
    const jobs: Job[] = [{ object: snapshotName(hash), bytes: async () => file, hash, done }];
    if (diff !== undefined) jobs.unshift({ object: diffName(from), bytes: async () => diff });
    this.#queue.unshift(...jobs);
    this.tick();
    await promise;
  }

  /** There are more shards than there were. */
  lookAgain(): void {
    this.#behind = true;
  }

  /** Lets time act. Call it a few times a second. */
  tick(): void {
    const now = this.#clock();
    if (this.#waiting !== undefined && now >= this.#waiting.until) {
      this.#slow = true;
      this.#letGo();
    }
    if (this.#working !== undefined || this.#closed || now < this.#retryAt || !this.behind) return;
    const source = this.#source;
    if (source === undefined) return;
    this.#working = this.#work(source)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#working = undefined;
      });
  }

  /** Finishes the file that is being written. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#letGo();
    await this.#working;
  }

  async #work(source: MirrorSource): Promise<void> {
    this.#state ??= await readState(this.#target, source.run);
    while (!this.#closed) {
      const job = this.#queue.shift();
      if (job !== undefined) await this.#push(source, job);
      else if (this.#behind) this.#queue = this.#lacking(source);
      else break;
      if (job === undefined) this.#behind = false;
    }
    if (this.#failing) this.#log.info({ mirror: this.#target.name }, "the mirror has everything again");
    this.#failing = false;
    this.#slow = false;
  }

  /** What a mirror of this run should have and has not, the most wanted first. */
  #lacking({ newest, keepDiffs, shards, object }: MirrorSource): Job[] {
    const { names, shards: there } = this.#known();
    const { version, hash } = newest();
    const versions = new Set(names.flatMap((name) => /^diffs\/(\d+)-/.exec(name)?.[1] ?? []));
    const wanted = names.includes(snapshotName(hash)) ? [] : [snapshotName(hash)];
    for (let from = version - 1; from >= Math.max(0, version - Math.min(keepDiffs, MAX_DIFFS)); from--) {
      if (!versions.has(String(from))) wanted.push(diffName(from));
    }
    const kept = new Set(there);
    for (const shard of shards()) if (!kept.has(shard)) wanted.push(shardName(shard));
    return wanted.map((name) => ({ object: name, bytes: () => object(name) }));
  }

  async #push(source: MirrorSource, { object, bytes: read, hash: known, done }: Job): Promise<void> {
    const bytes = await read().catch(unlessGone);
    if (bytes === undefined) return;
    const hash = known ?? (await sha256(bytes));
    const isShard = object.startsWith("shards/");
    if (!isShard) await this.#note(object.startsWith("diffs/") ? `${object}-${hash}` : object);
    const list = utf8(JSON.stringify({ chunks: await source.sign(object, bytes, hash) }));
    await this.#target.write(pathInMirror(object, hash).slice(1), bytes, FOR_GOOD);
    await this.#target.write(ROUTES.chunks(object).slice(1), list, LIST);
    if (isShard) await this.#noteShard(hash);
    done?.();
    if (!isShard) await this.#prune(source);
  }

  /** Before it is written, so that one written just before a crash is let go of some day. */
  async #note(name: string): Promise<void> {
    const state = this.#known();
    const others = state.names.filter((other) => other !== name);
    await this.#save({ ...state, names: [...others, name] });
  }

  /** Written now and then: a crash costs some shards copied once more, and each time would cost the list of them all. */
  async #noteShard(hash: Hash): Promise<void> {
    const state = { ...this.#known(), shards: [...this.#known().shards, hash] };
    this.#state = state;
    const last = !this.#queue.some(({ object }) => object.startsWith("shards/"));
    if (last || state.shards.length % SHARDS_AT_ONCE === 0) await this.#save(state);
  }

  /** Removes by name what volunteers ask for no more. */
  async #prune({ newest, keepDiffs }: MirrorSource): Promise<void> {
    const state = this.#known();
    const oldest = newest().version - Math.min(keepDiffs, MAX_DIFFS);
    const snapshots = state.names.filter((name) => name.startsWith("snapshots/")).slice(0, -MAX_SNAPSHOTS);
    const old = new Set(snapshots);
    for (const name of state.names) {
      const from = /^diffs\/(\d+)-/.exec(name)?.[1];
      if (from !== undefined && Number(from) < oldest) old.add(name);
    }
    for (const name of old) {
      const path = name.startsWith("snapshots/") ? `${name}.safetensors` : name;
      await this.#target.remove(`api/${path}`);
      await this.#target.remove(`api/chunks/${name.replace(/-.*/, "")}`);
    }
    if (old.size > 0) await this.#save({ ...state, names: state.names.filter((name) => !old.has(name)) });
  }

  async #save(state: MirrorState): Promise<void> {
    await writeState(this.#target, state);
    this.#state = state;
  }

  #known(): MirrorState {
    if (this.#state === undefined) throw new Error("a mirror's state was used before it was read");
    return this.#state;
  }

  #fail(error: unknown): void {
    if (!this.#failing) {
      const fields = {
        mirror: this.#target.name,
        error: messageOf(error),
      };
      this.#log.warn(
        fields,
        "the mirror cannot be written: what it lacks is sent from here, and it is tried again",
      );
    }
    this.#failing = true;
    this.#behind = true;
    this.#queue = []; // bytes of versions among it; what is still wanted then is found again
    this.#retryAt = this.#clock() + RETRY_MS;
    this.#letGo();
  }

  /** The version that waits is announced without the mirror. */
  #letGo(): void {
    this.#waiting?.go();
    this.#waiting = undefined;
  }
}

function unlessGone(error: unknown): undefined {
  if (error instanceof ProtocolError && error.code === "not-found") return undefined;
  throw error;
}
