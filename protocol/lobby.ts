import { card } from "./card.ts";
import { as, asText, type Json } from "./guards.ts";
import { MAX_LABEL, MAX_LOSS } from "./limits.ts";
import { runState } from "./manifest.ts";
import { auditEntry } from "./operator.ts";
import { ROUTES } from "./routes.ts";
import { MAX_RUNS, RUN_HELP } from "./run-help.ts";
import { count, list, message, number, object, oneOf, optional, orNull, text } from "./schema.ts";

/** The paths of a server of several runs, which it has beside those of each run (rule M4). */
export const LOBBY_ROUTES = {
  runs: ROUTES.runs,
  /** For the operator of all runs: lists them, and makes, archives and deletes one. */
  operatorRuns: "/api/operator/runs",
} as const;

/** Points of the small curve of a run. */
const MAX_POINTS = 40;
/** Characters of a sample: an event has no more. */
const MAX_SAMPLE_CHARS = 2_000;

const amount = number(0, Number.MAX_SAFE_INTEGER);
const nats = number(0, MAX_LOSS);

const summary = object({
  /** Of its folder and its path. */
  id: text(MAX_LABEL),
  ...RUN_HELP,
  /** Its own host name, where it has one. */
  host: optional(text(253)),
  name: text(MAX_LABEL),
  operator: text(MAX_LABEL),
  card,
  state: runState,
  version: count,
  parameters: count,
  tokensMerged: count,
  tokenBudget: amount,
  /** At work in the last minute. */
  volunteers: count,
  /** Merged. */
  deltas: count,
  /** Part by which one more volunteer makes more of a version; null where that is not known. */
  oneMore: orNull(amount),
  /** Measurements, oldest first, of which a small curve is drawn. */
  heldOut: list(object({ version: count, tokens: count, loss: nats }), MAX_POINTS),
  /** What its newest measured version wrote; of a finished run alone, and absent where none wrote. */
  sample: optional(text(MAX_SAMPLE_CHARS)),
  /** Nats a token of guessing. */
  uniform: nats,
  bytesPerToken: orNull(amount),
  /** What taking part costs, in bytes. */
  bytes: object({
    /** The model, once. */
    first: count,
    /** A delta sent. */
    up: count,
    /** A version's change received. */
    down: count,
  }),
});
/** What the first page of a server of several runs says of each: the same as its `/api/run`, and shorter. */
export type RunSummary = ReturnType<typeof summary>;

/** Reads the list of runs from the server's JSON. Throws `bad-request`. */
export const parseLobby = message({ runs: list(summary, MAX_RUNS) });
/** The answer of `GET /api/runs`. */
export type Lobby = ReturnType<typeof parseLobby>;

/** What the operator of all runs can do. */
export type RunsAction =
  | { readonly action: "create" | "open" | "archive"; readonly id: string }
  /** `confirm` is the run's name once more. */
  | { readonly action: "delete"; readonly id: string; readonly confirm: string };

/** Reads an action; whether there is such a run the server decides. Throws `bad-request`. */
export function parseRunsAction(json: Json): RunsAction {
  const id = asText(json.id, "id", MAX_LABEL);
  const action = asText(json.action, "action", 20);
  switch (action) {
    case "create":
    case "open":
    case "archive":
      return { action, id };
    case "delete":
      return { action, id, confirm: asText(json.confirm, "confirm", MAX_LABEL) };
    default:
      return as((_: unknown): _ is RunsAction => false, action, "action");
  }
}

const operatorRun = object({
  id: text(255),
  path: text(300),
  /** `not-made`: it waits for its text and settings; `failed`: it could not be opened. */
  state: oneOf("not-made", "failed", "running", "paused", "finished"),
  /** Why it could not be opened. */
  why: optional(text(2_000)),
  /** What there is of it once it is made. */
  name: optional(text(MAX_LABEL)),
  version: optional(count),
  volunteers: optional(count),
  /** Of its token budget, the part that is merged. */
  part: optional(amount),
});
/** A run as its operator sees it among others. */
export type OperatorRun = ReturnType<typeof operatorRun>;

/** Reads what the operator of all runs sees. Throws `bad-request`. */
export const parseOperatorRuns = message({
  operator: text(MAX_LABEL),
  runs: list(operatorRun, 2 * MAX_RUNS),
  /** Newest first. */
  log: list(auditEntry, 1_000),
});
/** The answer of `GET /api/operator/runs`. */
export type OperatorRuns = ReturnType<typeof parseOperatorRuns>;
