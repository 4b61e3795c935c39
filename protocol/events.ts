import { as, asArray, asInteger, asNumber, asText, type Json } from "./guards.ts";
import { type Hash, isHash } from "./ids.ts";
import { MAX_LOSS, MAX_PROMPTS, MAX_WRITTEN_CHARS } from "./limits.ts";
import { isRunState, type RunState } from "./manifest.ts";

/**
 * The server-sent events of `GET /api/events`, whose data is one of these as JSON (rule E1). The first
 * is always `hello`; a comment every 15 s keeps the connection known to be alive.
 */
export type RunEvent =
  | { readonly type: "hello"; readonly version: number; readonly hash: Hash; readonly state: RunState }
  | VersionEvent
  | EvaluationEvent
  | { readonly type: "state"; readonly state: RunState };

/** A version was published: number, model hash, and what its diff (from the version before) weighs. */
export interface VersionEvent {
  readonly type: "version";
  readonly version: number;
  readonly hash: Hash;
  readonly diffBytes: number;
  /** Deltas merged into it, and the tokens they trained on. */
  readonly deltas: number;
  readonly tokens: number;
  /** Milliseconds from the version before until this one was published. */
  readonly ms: number;
}

/** The server measured a version on held-out text, and let it write. */
export interface EvaluationEvent {
  readonly type: "evaluation";
  readonly version: number;
  /** All tokens merged into the version. */
  readonly tokens: number;
  /** Held-out loss, nats a token. */
  readonly loss: number;
  /** This version's sample; plain text from a language model, never markup. */
  readonly sample: string;
  /** What it wrote on from each of the run's prompts; absent where the run has none. */
  readonly written?: readonly string[];
  /** Loss on held-out text that was added since the run began; absent where none was, and to pages, which ask the operator's overview. */
  readonly added?: number;
  /** Questions answered right; absent where none were asked. */
  readonly right?: number;
}

/** Reads what a version wrote on from prompts, where it did. Throws `bad-request`. */
export const parseWritten = ({ written }: Json): { readonly written?: readonly string[] } =>
  written === undefined
    ? {}
    : {
        written: asArray(written, "written", MAX_PROMPTS).map((text) =>
          asText(text, "written[]", MAX_WRITTEN_CHARS),
        ),
      };

/** Characters of a sample. */
const MAX_SAMPLE = 2_000;

/** Reads an event from the server's JSON; undefined for a type of a later minor version. */
export function parseEvent(json: Json): RunEvent | undefined {
  const version = () => asInteger(json.version, "version", 0, Number.MAX_SAFE_INTEGER);
  const count = (value: unknown, field: string) => asInteger(value, field, 0, Number.MAX_SAFE_INTEGER);
  switch (json.type) {
    case "hello":
      return {
        type: "hello",
        version: version(),
        hash: as(isHash, json.hash, "hash"),
        state: as(isRunState, json.state, "state"),
      };
    case "version":
      return {
        type: "version",
        version: version(),
        hash: as(isHash, json.hash, "hash"),
        diffBytes: count(json.diffBytes, "diffBytes"),
        deltas: count(json.deltas, "deltas"),
        tokens: count(json.tokens, "tokens"),
        ms: count(json.ms, "ms"),
      };
    case "evaluation":
      return {
        type: "evaluation",
        version: version(),
        tokens: count(json.tokens, "tokens"),
        loss: asNumber(json.loss, "loss", 0, MAX_LOSS),
        sample: asText(json.sample, "sample", MAX_SAMPLE),
        ...parseWritten(json),
        ...(json.right !== undefined && { right: count(json.right, "right") }),
      };
    case "state":
      return { type: "state", state: as(isRunState, json.state, "state") };
    default:
      return undefined;
  }
}
