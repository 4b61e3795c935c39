import type { Matrix } from "../../model/contract/layout.ts";
import type { QuestionSet } from "../../protocol/answers.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Outcome } from "../coordinator/outcomes.ts";
import type { Auditor, Evaluator, Helpers } from "../evaluate/ports.ts";
import type { Log } from "../lib/log.ts";
import type { Merger } from "../merge/merger.ts";
import type { KnownVectors } from "../merge/vectors.ts";
import type { Store } from "../store/store.ts";
import type { Part } from "../trust/places.ts";
import type { Settings } from "./settings.ts";

/** A run's dependencies. Everything that touches the world is passed in, so that tests can control it. */
export interface RunOptions {
  readonly store: Store;
  readonly corpus: RunCorpus;
  /**
   * A run file's settings. On a directory without a run they make it (without, {@link DEFAULT_SETTINGS} do);
   * on one that has a run they must be the ones it began with.
   */
  readonly settings?: Settings;
  /** The meaning of the flat vector. */
  readonly task: TaskFactory;
  /** Monotonic milliseconds, from any origin: never the wall clock. */
  readonly clock: () => number;
  /** The run clock, of a run that another process serves: that one keeps it. */
  readonly runClock?: { now(): number };
  /** So many bytes nobody can guess. */
  readonly random: (bytes: number) => Uint8Array<ArrayBuffer>;
  /** Where versions are merged: on this thread, if nothing is said. */
  readonly merger?: Merger;
  /**
   * Makes again what another process publishes, of a run that is followed, so that this one could go on from there; without
   * it only the weights are known.
   */
  readonly warming?: Merger;
  /** What this process has made of the run already, while it followed it; handed over once. */
  readonly known?: (() => KnownVectors | undefined) | undefined;
  /** Measures versions on held-out text; without it no version is measured. */
  readonly evaluator?: Evaluator;
  /** The questions that the evaluator has versions answer, if it has any. */
  readonly questions?: QuestionSet;
  /** Bytes (UTF-8) of a token of the text that the evaluator measures versions on; without it nobody knows. */
  readonly bytesPerToken?: (settings: Settings) => Promise<number>;
  /** Measures what deltas are worth; without it none is audited. */
  readonly auditor?: Auditor;
  /** Other servers that take work off this one; without them it does all by itself. */
  readonly helpers?: Helpers;
  /** Gets what volunteers download, before they hear of it. */
  readonly mirror?: VersionMirror;
  readonly log: Log;
  /**
   * Hears of every durable event and of the deltas whose fate it decided: of the journal's while the run is opened, then
   * of each as it is applied.
   */
  readonly observe?: (event: DurableEvent, ended: readonly Outcome[]) => void;
}

/** A merged version that is about to be published; of a roll-back there is no diff. */
export interface MadeVersion {
  /** The version before it. */
  readonly from: number;
  readonly diff?: Uint8Array<ArrayBuffer>;
  readonly hash: Hash;
  readonly file: Uint8Array<ArrayBuffer>;
}

/** Another place, which volunteers ask first. */
export interface VersionMirror {
  /** Its public address, as the manifest names it. */
  readonly url: string;
  /** Resolves when the version may be announced; never rejects, and does not take long. */
  offer(version: MadeVersion): Promise<void>;
}

/** The split corpus as a run sees it: what it may serve, and what guessing costs. */
export interface RunCorpus {
  readonly vocabulary: number;
  /** tokenizer.json. */
  readonly tokenizer: Uint8Array<ArrayBuffer>;
  /** Train shards only, in a fixed order. */
  readonly train: readonly TrainShard[];
  /** Tokens of the held-out text, which versions are measured on and which is never served. */
  readonly heldOutTokens: number;
  /** Text that was added since, in its order. Only ever grows. */
  readonly added?: () => readonly AddedText[];
  /** Nats a token on the held-out text. */
  readonly baselines: { readonly uniform: number; readonly unigram: number; readonly bigram: number };
  /** A train shard's u16 tokens. Rejects with `not-found` for any other hash. */
  shard(hash: Hash): Promise<Uint8Array<ArrayBuffer>>;
}

export interface TrainShard {
  readonly hash: Hash;
  readonly tokens: number;
  /** How often its text comes in an epoch: 1 if absent. */
  readonly weight?: number;
}

/** Text that came in after the run began. */
export interface AddedText {
  /** SHA-256 of the file that lists its shards. */
  readonly text: Hash;
  /** Of its training part. */
  readonly tokens: number;
  readonly train: readonly TrainShard[];
}

/** All that a run knows of the vector it merges. */
export interface Task {
  /** Values in the flat vector. */
  readonly parameters: number;
  /** The tensors that are matrices to the outer step; embeddings, biases and norms are not. */
  readonly matrices: readonly Matrix[];
  /** Where each tensor lies, in order: their sizes are watched one by one. */
  readonly tensors: readonly Part[];
  /** Version 0, from the run's seed alone, or from what is stored of it. */
  initial(seed: number): Float32Array<ArrayBuffer> | Promise<Float32Array<ArrayBuffer>>;
  /** What a published file has before its values, where these are the vector as it is. */
  readonly head?: Uint8Array<ArrayBuffer>;
  /**
   * The published file of a version: the same bytes for the same floats, on any machine. It may be made around values
   * that lie behind as many bytes as {@link head} has of a buffer of their own.
   */
  encode(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** The inverse of {@link encode}; throws on any other bytes. */
  decode(file: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
}

export type TaskFactory = (settings: Settings, vocabulary: number) => Task;
