import { asArray, asObject } from "./guards.ts";
import { isHash } from "./ids.ts";
import { MAX_LABEL } from "./limits.ts";
import { OPERATOR_ROUTES } from "./operator.ts";
import { count, flag, id, message, number, object, oneOf, orNull, type Reader, text } from "./schema.ts";

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

const HEAD = {
  /** Its file's name; the ending says what it is: .txt, .md, .jsonl, each also with .gz, or .parquet. */
  name: text(255),
  bytes: count,
};
export const parseTextHead = message(HEAD);
/** A text that is about to come. */
export type TextHead = ReturnType<typeof parseTextHead>;

const upload = object({
  ...HEAD,
  /** Bytes that are here: where the next chunk begins. */
  received: count,
  /** Of the whole, once it is here and was checked. */
  sha256: orNull(id(isHash)),
});
export type TextUpload = ReturnType<typeof upload>;

const textSource = oneOf("upload", "corpus", "moby-dick");
/** Where a new run's text comes from. */
export type TextSource = ReturnType<typeof textSource>;

export const parseSetupOrder = message({
  text: textSource,
  /** Tokens of the vocabulary to train; a corpus that is there has its own. */
  vocabulary: count,
  settings: asObject,
  /** Give no work until the operator starts it. */
  paused: flag,
});
/** The run that is asked for. `settings` are a run file's keys; the server checks them. */
export type SetupOrder = ReturnType<typeof parseSetupOrder>;

const corpus = object({ vocabulary: count, tokens: count, bytes: count });
/** A corpus that is there. */
export type CorpusSummary = ReturnType<typeof corpus>;

const stage = oneOf("fetching", "comparing", "reading", "counting", "merging", "encoding", "opening");
export type SetupStage = ReturnType<typeof stage>;

/** The text that is there, what is being done with it, and why the last try came to nothing. */
export const TEXT_WORK = {
  /** The signed-in operator's name. */
  operator: text(MAX_LABEL),
  /** Bytes a text may have. */
  maxBytes: count,
  freeBytes: count,
  upload: orNull(upload),
  /** Work under way, its bytes, tokens or merges; null while there is none. */
  work: orNull(object({ stage, done: count, total: orNull(count) })),
  /** Why the last try came to nothing: a stable code, and words. */
  failed: orNull(object({ code: text(40), message: text(2_000) })),
};

/** Reads `GET …/founding`. Throws `bad-request`. */
export const parseSetupState = message({ ...TEXT_WORK, corpus: orNull(corpus) });
/** The state of making a run. */
export type SetupState = ReturnType<typeof parseSetupState>;

/** Tokens of a ticket: of the shortest, and of the longest. */
const ticketTokens: Reader<readonly [least: number, most: number]> = (value, field) => {
  const [least, most] = asArray(value, field, 2);
  return [count(least, field), count(most, field)];
};

export const parseEstimate = message({
  parameters: count,
  /** A newcomer's download: the weights, as a safetensors file. */
  snapshotBytes: count,
  /** Bytes that a volunteer sends for a ticket. */
  deltaBytes: count,
  /** Bytes that every volunteer downloads of a version. */
  diffBytes: count,
  /** Floating-point operations of training on one token. */
  flopsPerToken: number(0, Number.MAX_SAFE_INTEGER),
  ticketTokens,
  /** Disk that snapshots, diffs and kept deltas come to, without the text. */
  diskBytes: count,
  tokenBudget: count,
  learningRate: number(0, 1),
  /** Of a GPU that offers no more than WebGPU's least limits; null: it takes one that offers more. */
  gpuBytes: orNull(count),
  /** Of a machine without, which gives half of its memory at most, and 4 GiB; null: it takes a GPU. */
  wasmBytes: orNull(count),
  /** Whether a phone without a GPU for it, which gives 1 GiB, can train. */
  phones: flag,
});
/** A run's costs. All of them follow from the settings by the code that will run; nothing is guessed. */
export type Estimate = ReturnType<typeof parseEstimate>;
/** Bytes that training takes of a visitor's device, on one sequence at a time. */
export type DeviceMemory = Pick<Estimate, "gpuBytes" | "wasmBytes" | "phones">;
