import { parseCard, type RunCard } from "./card.ts";
import { as, asArray, asInteger, asNumber, asObject, asText, type Json } from "./guards.ts";
import { MAX_LABEL, MAX_LOSS } from "./limits.ts";
import { isRunState, type RunState } from "./manifest.ts";
import { type AuditEntry, parseAuditEntry } from "./operator.ts";
import { ROUTES } from "./routes.ts";
import { MAX_RUNS, parseRunHelp, type RunHelp } from "./run-help.ts";
import type { HeldOutPoint } from "./status.ts";

/** The paths of a server of several runs, which it has beside those of each run (rule M4). */
export const LOBBY_ROUTES = {
  runs: ROUTES.runs,
  /** For the operator of all runs: lists them, and makes, archives and deletes one. */
  operatorRuns: "/api/operator/runs",
} as const;

/** The answer of `GET /api/runs`. */
export interface Lobby {
  readonly runs: readonly RunSummary[];
}

/** What the first page of a server of several runs says of each: the same as its `/api/run`, and shorter. */
export interface RunSummary extends RunHelp {
  /** Of its folder and its path. */
  readonly id: string;
  /** Its own host name, where it has one. */
  readonly host?: string;
  readonly name: string;
  readonly operator: string;
  readonly card: RunCard;
  readonly state: RunState;
  readonly version: number;
  readonly parameters: number;
  readonly tokensMerged: number;
  readonly tokenBudget: number;
  /** At work in the last minute. */
  readonly volunteers: number;
  /** Merged. */
  readonly deltas: number;
  /** Part by which one more volunteer makes more of a version; null where that is not known. */
  readonly oneMore: number | null;
  /** Measurements, oldest first, of which a small curve is drawn. */
  readonly heldOut: readonly HeldOutPoint[];
  /** What its newest measured version wrote; of a finished run alone, and absent where none wrote. */
  readonly sample?: string;
  /** Nats a token of guessing. */
  readonly uniform: number;
  readonly bytesPerToken: number | null;
  /** What taking part costs, in bytes. */
  readonly bytes: {
    /** The model, once. */
    readonly first: number;
    /** A delta sent. */
    readonly up: number;
    /** A version's change received. */
    readonly down: number;
  };
}

/** Points of the small curve of a run. */
const MAX_POINTS = 40;
const MAX_COUNT = Number.MAX_SAFE_INTEGER;
/** Characters of a sample: an event has no more. */
const MAX_SAMPLE_CHARS = 2_000;

/** Reads the list of runs from the server's JSON. Throws `bad-request`. */
export const parseLobby = (json: Json): Lobby => ({
  runs: asArray(json.runs, "runs", MAX_RUNS).map((one) => parseSummary(asObject(one, "run"))),
});

function parseSummary(json: Json): RunSummary {
  const count = (field: keyof RunSummary) => asInteger(json[field], field, 0, MAX_COUNT);
  const bytes = asObject(json.bytes, "bytes");
  const bytesOf = (field: keyof RunSummary["bytes"]) => asInteger(bytes[field], field, 0, MAX_COUNT);
  const orNull = (field: "oneMore" | "bytesPerToken") =>
    json[field] === null ? null : asNumber(json[field], field, 0, MAX_COUNT);
  return {
    id: asText(json.id, "id", MAX_LABEL),
    ...parseRunHelp(json),
    ...(json.host !== undefined && { host: asText(json.host, "host", 253) }),
    name: asText(json.name, "name", MAX_LABEL),
    operator: asText(json.operator, "operator", MAX_LABEL),
    card: parseCard(asObject(json.card, "card")),
    state: as(isRunState, json.state, "state"),
    version: count("version"),
    parameters: count("parameters"),
    tokensMerged: count("tokensMerged"),
    tokenBudget: asNumber(json.tokenBudget, "tokenBudget", 0, MAX_COUNT),
    volunteers: count("volunteers"),
    deltas: count("deltas"),
    oneMore: orNull("oneMore"),
    heldOut: asArray(json.heldOut, "heldOut", MAX_POINTS).map((one) => {
      const { version, tokens, loss } = asObject(one, "point");
      return {
        version: asInteger(version, "version", 0, MAX_COUNT),
        tokens: asInteger(tokens, "tokens", 0, MAX_COUNT),
        loss: asNumber(loss, "loss", 0, MAX_LOSS),
      };
    }),
    ...(json.sample !== undefined && { sample: asText(json.sample, "sample", MAX_SAMPLE_CHARS) }),
    uniform: asNumber(json.uniform, "uniform", 0, MAX_LOSS),
    bytesPerToken: orNull("bytesPerToken"),
    bytes: { first: bytesOf("first"), up: bytesOf("up"), down: bytesOf("down") },
  };
}

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

/** A run as its operator sees it among others. */
export interface OperatorRun {
  readonly id: string;
  readonly path: string;
  /** `not-made`: it waits for its text and settings; `failed`: it could not be opened. */
  readonly state: RunState | "not-made" | "failed";
  /** Why it could not be opened. */
  readonly why?: string;
  /** What there is of it once it is made. */
  readonly name?: string;
  readonly version?: number;
  readonly volunteers?: number;
  /** Of its token budget, the part that is merged. */
  readonly part?: number;
}

/** The answer of `GET /api/operator/runs`. */
export interface OperatorRuns {
  readonly operator: string;
  readonly runs: readonly OperatorRun[];
  /** Newest first. */
  readonly log: readonly AuditEntry[];
}

const isOperatorState = (value: unknown): value is OperatorRun["state"] =>
  value === "not-made" || value === "failed" || isRunState(value);

/** Reads what the operator of all runs sees. Throws `bad-request`. */
export const parseOperatorRuns = (json: Json): OperatorRuns => ({
  operator: asText(json.operator, "operator", MAX_LABEL),
  runs: asArray(json.runs, "runs", 2 * MAX_RUNS).map((one) => {
    const { id, path, state, why, name, version, volunteers, part } = asObject(one, "run");
    return {
      id: asText(id, "id", 255),
      path: asText(path, "path", 300),
      state: as(isOperatorState, state, "state"),
      ...(why !== undefined && { why: asText(why, "why", 2_000) }),
      ...(name !== undefined && { name: asText(name, "name", MAX_LABEL) }),
      ...(version !== undefined && { version: asInteger(version, "version", 0, MAX_COUNT) }),
      ...(volunteers !== undefined && { volunteers: asInteger(volunteers, "volunteers", 0, MAX_COUNT) }),
      ...(part !== undefined && { part: asNumber(part, "part", 0, MAX_COUNT) }),
    };
  }),
  log: asArray(json.log, "log", 1_000).map(parseAuditEntry),
});
