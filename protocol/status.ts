import type { QuestionSet } from "./answers.ts";
import type { RunCard } from "./card.ts";
import type { ErrorCode } from "./errors.ts";
import type { Hash, RunId } from "./ids.ts";
import type { RunState } from "./manifest.ts";
import type { ModelShape } from "./model.ts";
import type { InnerName } from "./ticket.ts";

/** The answer of `GET /api/run` (rule M2): everything public about a run, for pages, scripts and monitors. */
export interface RunStatus {
  readonly protocol: number;
  readonly run: RunId;
  readonly name: string;
  readonly operator: string;
  /** What the operator says of the run; empty where nothing, and from servers of earlier releases. */
  readonly card: RunCard;
  readonly state: RunState;
  readonly version: number;
  /** SHA-256 of the current version's safetensors bytes. */
  readonly modelHash: Hash;
  readonly model: ModelShape;
  readonly parameters: number;
  /** Oldest first, thinned to at most a few hundred points. */
  readonly heldOut: readonly HeldOutPoint[];
  /** Text that was added after the run began: how many times, and the training tokens of it; absent where none was. */
  readonly added?: { readonly texts: number; readonly tokens: number };
  /** Bytes (UTF-8) of a token of the text that versions are measured on; null where that is not known. */
  readonly bytesPerToken: number | null;
  /** The loss of guessing on the held-out text, nats a token: uniformly, by frequency, by the token before. */
  readonly baselines: { readonly uniform: number; readonly unigram: number; readonly bigram: number };
  readonly tokensMerged: number;
  /** The run is finished when this many tokens are merged. */
  readonly tokenBudget: number;
  /** Merged tokens a second over the last minute. */
  readonly tokensPerSecond: number;
  /** Volunteers that hold a ticket or sent a delta in the last minute. */
  readonly volunteers: number;
  readonly deltas: {
    readonly merged: number;
    readonly refused: Readonly<Partial<Record<ErrorCode, number>>>;
  };
  /** Volunteers that agree to it make audits too (rule AU5); absent where they do not. */
  readonly audits?: true;
  /** How rounds on a clock go; null in a run on turns. */
  readonly rounds: RoundStatus | null;
  /** The newest versions, newest first. */
  readonly versions: readonly VersionSummary[];
  /** Multiple-choice questions that measured versions answer; null where there are none. */
  readonly questions: QuestionSet | null;
  /** The operator's beginnings, which every measured version goes on from. */
  readonly prompts: readonly string[];
  /** The newest sample the model wrote, and at which version. */
  readonly sample: Sample | null;
  /** Early versions' samples, oldest first, each of a version about four times the one before. */
  readonly samples: readonly Sample[];
}

/** The rounds of a run on a clock (rule T8). */
export interface RoundStatus {
  /** Milliseconds of the open version's round. */
  readonly ms: number;
  /** What tickets train with now, and sequences of their micro-batches. */
  readonly inner: InnerName;
  readonly batch: number;
  /** Of the newest versions; null before there are any. */
  readonly lately: {
    /** How many versions these are. */
    readonly versions: number;
    /** Inner steps of a delta, on average. */
    readonly steps: number;
    /** Of their deltas, the part that was made for an earlier version. */
    readonly late: number;
    /** Of the time that these versions took, the part that their volunteers trained, as they say. */
    readonly goodput: number;
    /** How much more volunteers would bring; null until a version has several deltas. */
    readonly crowd: CrowdStatus | null;
  } | null;
}

/** What a run learns of more volunteers, by how similar the newest versions' deltas are. */
export interface CrowdStatus {
  /** Mean cosine of the angle between two deltas of a version. */
  readonly cosine: number;
  /** Part by which one more volunteer makes more of a version. */
  readonly oneMore: number;
  /** Volunteers that bring four fifths of what a crowd without end would; null where deltas have nothing in common. */
  readonly useful: number | null;
}

/** Plain text from a language model, going on from the same few words at every version; never markup. */
export interface Sample {
  readonly version: number;
  readonly text: string;
  /** What the version wrote on from each of the run's prompts, in their order; absent where it has none. */
  readonly written?: readonly string[];
}

export interface HeldOutPoint {
  readonly version: number;
  readonly tokens: number;
  readonly loss: number;
  /** On held-out text that was added since the run began; absent where none was. */
  readonly added?: number;
  /** Questions answered right; absent where none were asked. */
  readonly right?: number;
}

export interface VersionSummary {
  readonly version: number;
  readonly hash: Hash;
  readonly deltas: number;
  readonly tokens: number;
  readonly ms: number;
  readonly diffBytes: number;
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
