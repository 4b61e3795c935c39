import type { Inner } from "../../model/contract/config.ts";
import type { Trainer } from "../../model/contract/trainer.ts";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import type { Identity } from "../../protocol/identity.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { Cache } from "../cache/cache.ts";
import type { Api } from "../transport/api.ts";
import type { Control } from "./control.ts";
import type { Trainers } from "./device/trainers.ts";
import type { EventSubscription } from "./event-subscription.ts";
import type { Inspection } from "./inspection.ts";
import type { Report } from "./messages.ts";
import type { ModelFile, Replica } from "./replica.ts";
import type { Throughput } from "./throughput.ts";

/** A round's dependencies; all of them can be replaced in a test. */
export interface RoundDeps {
  readonly api: Api;
  readonly cache: Cache;
  readonly identity: Identity;
  readonly manifest: Manifest;
  readonly replica: Replica;
  readonly trainers: Trainers;
  readonly control: Control;
  readonly report: (report: Report) => void;
  /** Keeps what a visitor may look into; absent where nobody looks. */
  readonly inspection?: Inspection;
  /** The run's tokenizer, for the passage; undefined when it cannot be had just now. */
  readonly tokenizer: () => Promise<Tokenizer | undefined>;
  readonly throughput: Throughput;
  /** Absent: this volunteer makes no audits. */
  readonly openAuditor?: OpenAuditor;
  readonly events: EventSubscription;
  /** Hears how far a download is. */
  readonly progress: Progress;
  /** A monotonic clock in milliseconds. */
  readonly clock: () => number;
  /** Resolves after `ms` and lets messages in even for 0; rejects with the signal's reason. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Makes a trainer whose bits are the same on every machine, for audits. */
export type OpenAuditor = (inner: Inner | undefined) => Promise<Trainer>;

export type Progress = (what: "weights" | "text" | "change", bytes: number, total: number) => void;

/** The loop's dependencies. */
export interface LoopDeps
  extends Pick<RoundDeps, "api" | "control" | "report" | "inspection" | "clock" | "sleep" | "random"> {
  /** Hears of every version that the replica is brought to. */
  readonly moved?: (replica: Replica) => void;
  /** Opens what belongs to one run, once its manifest is known. */
  readonly open: (manifest: Manifest) => Promise<RunParts>;
}

export interface RunParts {
  readonly cache: Cache;
  readonly identity: Identity;
  readonly file: ModelFile;
  readonly trainers: Trainers;
  readonly openAuditor?: OpenAuditor;
  readonly loadTokenizer: (json: Uint8Array) => Promise<Tokenizer>;
}
