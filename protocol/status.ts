import { questionSet } from "./answers.ts";
import { card } from "./card.ts";
import { type ErrorCode, isErrorCode } from "./errors.ts";
import { written } from "./events.ts";
import { asObject, type Json } from "./guards.ts";
import { isHash, isRunId } from "./ids.ts";
import {
  MAX_BATCH,
  MAX_LABEL,
  MAX_LOSS,
  MAX_PROMPT_CHARS,
  MAX_PROMPTS,
  MAX_SAMPLE_CHARS,
  MAX_STEPS,
} from "./limits.ts";
import { requireProtocol, runState } from "./manifest.ts";
import { modelShape } from "./model.ts";
import {
  count,
  id,
  integer,
  list,
  message,
  number,
  object,
  onlyTrue,
  optional,
  orNull,
  type Reader,
  text,
} from "./schema.ts";
import { inner } from "./ticket.ts";
import { PROTOCOL_VERSION } from "./version.ts";

/** Rows and points a page is willing to draw; the server thins to a few hundred (rule M2). */
const MAX_ROWS = 5_000;
/** Early samples: one for each fourfold growth of a run. */
const MAX_SAMPLES = 32;

const nats = number(0, MAX_LOSS);
const part = number(0, 1);
const rate = number(0, Number.MAX_SAFE_INTEGER);

const heldOutPoint = object({
  version: count,
  tokens: count,
  loss: nats,
  /** On held-out text that was added since the run began; absent where none was. */
  added: optional(nats),
  /** Questions answered right; absent where none were asked. */
  right: optional(count),
});
export type HeldOutPoint = ReturnType<typeof heldOutPoint>;

const versionSummary = object({
  version: count,
  hash: id(isHash),
  deltas: count,
  tokens: count,
  ms: count,
  diffBytes: count,
});
export type VersionSummary = ReturnType<typeof versionSummary>;

const crowd = object({
  /** Mean cosine of the angle between two deltas of a version. */
  cosine: number(-1, 1),
  /** Part by which one more volunteer makes more of a version. */
  oneMore: part,
  /** Volunteers that bring four fifths of what a crowd without end would; null where deltas have nothing in common. */
  useful: orNull(count),
});
/** What a run learns of more volunteers, by how similar the newest versions' deltas are. */
export type CrowdStatus = ReturnType<typeof crowd>;

const rounds = object({
  /** Milliseconds of the open version's round. */
  ms: count,
  /** What tickets train with now, and sequences of their micro-batches. */
  inner,
  batch: integer(1, MAX_BATCH),
  /** Of the newest versions; null before there are any. */
  lately: orNull(
    object({
      /** How many versions these are. */
      versions: count,
      /** Inner steps of a delta, on average. */
      steps: number(0, MAX_STEPS),
      /** Of their deltas, the part that was made for an earlier version. */
      late: part,
      /** Of the time that these versions took, the part that their volunteers trained, as they say. */
      goodput: part,
      /** How much more volunteers would bring; null until a version has several deltas. */
      crowd: orNull(crowd),
    }),
  ),
});
/** The rounds of a run on a clock (rule T8). */
export type RoundStatus = ReturnType<typeof rounds>;

const sample = object({
  version: count,
  text: text(MAX_SAMPLE_CHARS),
  /** What the version wrote on from each of the run's prompts, in their order; absent where it has none. */
  written,
});
/** Plain text from a language model, going on from the same few words at every version; never markup. */
export type Sample = ReturnType<typeof sample>;

/** Codes that this release does not know are of a later minor version, and left out. */
const refused: Reader<Readonly<Partial<Record<ErrorCode, number>>>> = (value, field) => {
  const known: Partial<Record<ErrorCode, number>> = {};
  for (const [code, times] of Object.entries(asObject(value, field))) {
    if (isErrorCode(code)) known[code] = count(times, `${field}.${code}`);
  }
  return known;
};

/** `of`, where the answer is of an earlier release and does not say. */
const since =
  <T>(of: Reader<T>, before: T): Reader<T> =>
  (value, field) =>
    value === undefined ? before : of(value, field);

const status = message({
  protocol: (): number => PROTOCOL_VERSION,
  run: id(isRunId),
  name: text(MAX_LABEL),
  operator: text(MAX_LABEL),
  /** What the operator says of the run; empty where nothing, and from servers of earlier releases. */
  card: since(card, {}),
  state: runState,
  version: count,
  /** SHA-256 of the current version's safetensors bytes. */
  modelHash: id(isHash),
  model: modelShape,
  parameters: count,
  /** Oldest first, thinned to at most a few hundred points. */
  heldOut: list(heldOutPoint, MAX_ROWS),
  /** Text that was added after the run began: how many times, and the training tokens of it; absent where none was. */
  added: optional(object({ texts: count, tokens: count })),
  /** Bytes (UTF-8) of a token of the text that versions are measured on; null where that is not known. */
  bytesPerToken: since(orNull(number(0.01, 10_000)), null),
  /** The loss of guessing on the held-out text, nats a token: uniformly, by frequency, by the token before. */
  baselines: object({ uniform: nats, unigram: nats, bigram: nats }),
  tokensMerged: count,
  /** The run is finished when this many tokens are merged. */
  tokenBudget: rate,
  /** Merged tokens a second over the last minute. */
  tokensPerSecond: rate,
  /** Volunteers that hold a ticket or sent a delta in the last minute. */
  volunteers: count,
  deltas: object({ merged: count, refused }),
  /** Volunteers that agree to it make audits too (rule AU5); absent where they do not. */
  audits: onlyTrue,
  /** How rounds on a clock go; null in a run on turns. */
  rounds: orNull(rounds),
  /** The newest versions, newest first. */
  versions: list(versionSummary, MAX_ROWS),
  /** Multiple-choice questions that measured versions answer; null where there are none. */
  questions: since(orNull(questionSet), null),
  /** The operator's beginnings, which every measured version goes on from. */
  prompts: since(list(text(MAX_PROMPT_CHARS), MAX_PROMPTS), []),
  /** The newest sample the model wrote, and at which version. */
  sample: orNull(sample),
  /** Early versions' samples, oldest first, each of a version about four times the one before. */
  samples: list(sample, MAX_SAMPLES),
});
/** The answer of `GET /api/run` (rule M2): everything public about a run, for pages, scripts and monitors. */
export type RunStatus = ReturnType<typeof status>;

/** Reads `GET /api/run`. Throws `protocol-mismatch` before anything else, then `bad-request`. */
export function parseRunStatus(json: Json): RunStatus {
  requireProtocol(json);
  return status(json);
}

/** The answer of `GET /api/volunteers/:key`. Credit is validated tokens, granted at merge. */
export interface VolunteerCredit {
  readonly tokens: number;
  /** Of deltas sent in the last 24 hours of the run clock. */
  readonly recent: number;
  readonly merged: number;
  readonly pending: number;
  readonly refused: number;
}
