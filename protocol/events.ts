import type { Json } from "./guards.ts";
import { isHash } from "./ids.ts";
import { MAX_LOSS, MAX_PROMPTS, MAX_SAMPLE_CHARS, MAX_WRITTEN_CHARS } from "./limits.ts";
import { runState } from "./manifest.ts";
import { count, id, list, message, number, optional, type Reader, text } from "./schema.ts";

/** What a version wrote on from each of the run's prompts; absent where the run has none. */
export const written = optional(list(text(MAX_WRITTEN_CHARS), MAX_PROMPTS));

const type =
  <const T extends string>(name: T): Reader<T> =>
  () =>
    name;

const EVENTS = {
  hello: message({ type: type("hello"), version: count, hash: id(isHash), state: runState }),
  /** A version was published: number, model hash, and what its diff (from the version before) weighs. */
  version: message({
    type: type("version"),
    version: count,
    hash: id(isHash),
    diffBytes: count,
    /** Deltas merged into it, and the tokens they trained on. */
    deltas: count,
    tokens: count,
    /** Milliseconds from the version before until this one was published. */
    ms: count,
  }),
  /** The server measured a version on held-out text, and let it write. */
  evaluation: message({
    type: type("evaluation"),
    version: count,
    /** All tokens merged into the version. */
    tokens: count,
    /** Held-out loss, nats a token. */
    loss: number(0, MAX_LOSS),
    /** This version's sample; plain text from a language model, never markup. */
    sample: text(MAX_SAMPLE_CHARS),
    written,
    /** Loss on held-out text that was added since the run began; absent where none was, and to pages, which ask the operator's overview. */
    added: optional(number(0, MAX_LOSS)),
    /** Questions answered right; absent where none were asked. */
    right: optional(count),
  }),
  state: message({ type: type("state"), state: runState }),
} as const;

/**
 * The server-sent events of `GET /api/events`, whose data is one of these as JSON (rule E1). The first
 * is always `hello`; a comment every 15 s keeps the connection known to be alive.
 */
export type RunEvent = ReturnType<(typeof EVENTS)[keyof typeof EVENTS]>;
export type VersionEvent = ReturnType<(typeof EVENTS)["version"]>;

/** Reads an event from the server's JSON; undefined for a type of a later minor version. */
export const parseEvent = (json: Json): RunEvent | undefined =>
  typeof json.type === "string" && Object.hasOwn(EVENTS, json.type)
    ? EVENTS[json.type as keyof typeof EVENTS](json) // the one cast: just looked up
    : undefined;
