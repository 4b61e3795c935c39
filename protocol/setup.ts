import { as, asArray, asBoolean, asInteger, asNumber, asObject, asText, type Json } from "./guards.ts";
import { type Hash, isHash } from "./ids.ts";
import { MAX_LABEL } from "./limits.ts";
import { OPERATOR_ROUTES } from "./operator.ts";

/** Messages between the operator's page and a server without a run, behind a session (docs/OPERATIONS.md). */

const ALL = `${OPERATOR_ROUTES.all}/founding`;

export const SETUP_ROUTES = {
  /** How far things are: {@link SetupState}. */
  state: ALL,
  /** Begins the upload of a text, or goes on with it: {@link TextHead}. */
  text: `${ALL}/text`,
  /** The bytes from an offset on. */
  chunk: (offset: number) => `${ALL}/chunk?offset=${offset}`,
  chunks: `${ALL}/chunk`,
  /** All is sent: {sha256}. */
  finish: `${ALL}/finish`,
  discard: `${ALL}/discard`,
  /** A run's costs: {@link SetupOrder} in, {@link Estimate} out. */
  estimate: `${ALL}/estimate`,
  /** Makes the run: {@link SetupOrder}. */
  create: `${ALL}/found`,
  /** Adds text to the run that is there (added-text.ts). */
  add: `${ALL}/add`,
} as const;

/** Bytes of one chunk: a sender of 30 KB/s brings it within a request's time. */
export const TEXT_CHUNK_BYTES = 1024 * 1024;

/** A text that is about to come. */
export interface TextHead {
  /** Its file's name; the ending says what it is: .txt, .md, .jsonl, each also with .gz, or .parquet. */
  readonly name: string;
  readonly bytes: number;
}

export function parseTextHead(json: Json): TextHead {
  return { name: asText(json.name, "name", 255), bytes: count(json.bytes, "bytes") };
}

export interface TextUpload extends TextHead {
  /** Bytes that are here: where the next chunk begins. */
  readonly received: number;
  /** Of the whole, once it is here and was checked. */
  readonly sha256: Hash | null;
}

/** Where a new run's text comes from. */
export type TextSource = "upload" | "corpus" | "moby-dick";
const SOURCES: readonly TextSource[] = ["upload", "corpus", "moby-dick"];

/** The run that is asked for. `settings` are a run file's keys; the server checks them. */
export interface SetupOrder {
  readonly text: TextSource;
  /** Tokens of the vocabulary to train; a corpus that is there has its own. */
  readonly vocabulary: number;
  readonly settings: Json;
  /** Give no work until the operator starts it. */
  readonly paused: boolean;
}

export function parseSetupOrder(json: Json): SetupOrder {
  return {
    text: as((value): value is TextSource => SOURCES.some((one) => one === value), json.text, "text"),
    vocabulary: count(json.vocabulary, "vocabulary"),
    settings: asObject(json.settings, "settings"),
    paused: asBoolean(json.paused, "paused"),
  };
}

/** A corpus that is there. */
export interface CorpusSummary {
  readonly vocabulary: number;
  readonly tokens: number;
  readonly bytes: number;
}

export type SetupStage =
  | "fetching"
  | "comparing"
  | "reading"
  | "counting"
  | "merging"
  | "encoding"
  | "opening";
const STAGES: readonly SetupStage[] = [
  "fetching",
  "comparing",
  "reading",
  "counting",
  "merging",
  "encoding",
  "opening",
];

/** The state of making a run. */
export interface SetupState {
  /** The signed-in operator's name. */
  readonly operator: string;
  /** Bytes a text may have. */
  readonly maxBytes: number;
  readonly freeBytes: number;
  readonly upload: TextUpload | null;
  readonly corpus: CorpusSummary | null;
  /** Work under way; null while there is none. */
  readonly work: {
    readonly stage: SetupStage;
    /** Bytes, tokens or merges. */
    readonly done: number;
    readonly total: number | null;
  } | null;
  /** Why the last try came to nothing: a stable code, and words. */
  readonly failed: { readonly code: string; readonly message: string } | null;
}

/** Bytes that training takes of a visitor's device, on one sequence at a time. */
export interface DeviceMemory {
  /** Of a GPU that offers no more than WebGPU's least limits; null: it takes one that offers more. */
  readonly gpuBytes: number | null;
  /** Of a machine without, which gives half of its memory at most, and 4 GiB; null: it takes a GPU. */
  readonly wasmBytes: number | null;
  /** Whether a phone without a GPU for it, which gives 1 GiB, can train. */
  readonly phones: boolean;
}

/** A run's costs. All of them follow from the settings by the code that will run; nothing is guessed. */
export interface Estimate extends DeviceMemory {
  readonly parameters: number;
  /** A newcomer's download: the weights, as a safetensors file. */
  readonly snapshotBytes: number;
  /** Bytes that a volunteer sends for a ticket. */
  readonly deltaBytes: number;
  /** Bytes that every volunteer downloads of a version. */
  readonly diffBytes: number;
  /** Floating-point operations of training on one token. */
  readonly flopsPerToken: number;
  /** Tokens of a ticket: of the shortest, and of the longest. */
  readonly ticketTokens: readonly [least: number, most: number];
  /** Disk that snapshots, diffs and kept deltas come to, without the text. */
  readonly diskBytes: number;
  readonly tokenBudget: number;
  readonly learningRate: number;
}

const MAX_COUNT = Number.MAX_SAFE_INTEGER;
const count = (value: unknown, field: string) => asInteger(value, field, 0, MAX_COUNT);

/** Reads `GET …/founding`. Throws `bad-request`. */
export function parseSetupState(json: Json): SetupState {
  return {
    ...parseTextWork(json),
    corpus: orNull(json.corpus, "corpus", (corpus) => ({
      vocabulary: count(corpus.vocabulary, "corpus.vocabulary"),
      tokens: count(corpus.tokens, "corpus.tokens"),
      bytes: count(corpus.bytes, "corpus.bytes"),
    })),
  };
}

/** The text that is there, what is being done with it, and why the last try came to nothing. */
export const parseTextWork = (json: Json): Omit<SetupState, "corpus"> => ({
  operator: asText(json.operator, "operator", MAX_LABEL),
  maxBytes: count(json.maxBytes, "maxBytes"),
  freeBytes: count(json.freeBytes, "freeBytes"),
  upload: parseUpload(json.upload),
  work: orNull(json.work, "work", (work) => ({
    stage: as((value): value is SetupStage => STAGES.some((one) => one === value), work.stage, "work.stage"),
    done: count(work.done, "work.done"),
    total: work.total === null ? null : count(work.total, "work.total"),
  })),
  failed: orNull(json.failed, "failed", (failed) => ({
    code: asText(failed.code, "failed.code", 40),
    message: asText(failed.message, "failed.message", 2_000),
  })),
});

const parseUpload = (value: unknown): TextUpload | null =>
  orNull(value, "upload", (json) => ({
    ...parseTextHead(json),
    received: count(json.received, "upload.received"),
    sha256: json.sha256 === null ? null : as(isHash, json.sha256, "upload.sha256"),
  }));

const orNull = <T>(value: unknown, field: string, parse: (json: Json) => T): T | null =>
  value === null ? null : parse(asObject(value, field));

export function parseEstimate(json: Json): Estimate {
  const [least, most] = asArray(json.ticketTokens, "ticketTokens", 2);
  return {
    parameters: count(json.parameters, "parameters"),
    snapshotBytes: count(json.snapshotBytes, "snapshotBytes"),
    deltaBytes: count(json.deltaBytes, "deltaBytes"),
    diffBytes: count(json.diffBytes, "diffBytes"),
    flopsPerToken: asNumber(json.flopsPerToken, "flopsPerToken", 0, MAX_COUNT),
    ticketTokens: [count(least, "ticketTokens"), count(most, "ticketTokens")],
    diskBytes: count(json.diskBytes, "diskBytes"),
    tokenBudget: count(json.tokenBudget, "tokenBudget"),
    learningRate: asNumber(json.learningRate, "learningRate", 0, 1),
    gpuBytes: countOrNull(json.gpuBytes, "gpuBytes"),
    wasmBytes: countOrNull(json.wasmBytes, "wasmBytes"),
    phones: asBoolean(json.phones, "phones"),
  };
}

const countOrNull = (value: unknown, field: string) => (value === null ? null : count(value, field));
