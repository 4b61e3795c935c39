import { parseCard, type RunCard } from "./card.ts";
import { as, asBoolean, asObject, asText, type Json } from "./guards.ts";
import { isVolunteerKey, type VolunteerKey } from "./ids.ts";
import { MAX_LABEL, MAX_LOSS } from "./limits.ts";
import { runState } from "./manifest.ts";
import { enlisted, MAX_ENLISTED } from "./roster.ts";
import { count, flag, list, message, number, object, optional, record, text } from "./schema.ts";

/** Messages between the operator's page and the server, behind a session (docs/OPERATIONS.md). */

/** A header that no form of another site can send. */
export const OPERATOR_HEADER = "murmuration-operator";

/**
 * A header that the operator's page sends as a visitor might, with an address that is nobody's (RFC 5737). Where it comes
 * through to the server as the client's, the proxy in front lets every visitor choose an address.
 */
export const MADE_UP_CLIENT = { name: "x-forwarded-for", address: "192.0.2.1" } as const;

const ALL = "/api/operator";

export const OPERATOR_ROUTES = {
  all: ALL,
  signIn: `${ALL}/sign-in`,
  signOut: `${ALL}/sign-out`,
  overview: `${ALL}/overview`,
  act: `${ALL}/act`,
  huggingFace: `${ALL}/model-hf.zip`,
  gguf: (type: "f32" | "f16") => `${ALL}/model-${type}.gguf`,
} as const;

/** A quantity that need not be whole. */
const amount = number(0, Number.MAX_SAFE_INTEGER);
const tuning = object({
  quorum: amount,
  leaseSeconds: amount,
  tokenBudget: amount,
  learningRate: amount,
  finalRate: amount,
});
/** Settings that may change while a run is served: each ticket and each closing decides by the newest. */
export type Tuning = ReturnType<typeof tuning>;

export const TUNABLE = ["quorum", "leaseSeconds", "tokenBudget", "learningRate", "finalRate"] as const;

/** An operator's actions. */
export type OperatorAction =
  | { readonly action: "start" | "pause" | "drain" | "finish" }
  /** Of measurements that visitors send (speeds.ts). */
  | { readonly action: "take-speeds" | "refuse-speeds" | "forget-speeds" }
  | { readonly action: "completions"; readonly on: boolean }
  | { readonly action: "tune"; readonly changes: Partial<Tuning> }
  | { readonly action: "describe"; readonly card: RunCard }
  | { readonly action: "rollback"; readonly version: number }
  | { readonly action: "ban" | "forgive"; readonly volunteer: VolunteerKey };

/** Reads an action; whether a setting's value is possible the run decides. Throws `bad-request`. */
export function parseAction(json: Json): OperatorAction {
  const action = asText(json.action, "action", 20);
  switch (action) {
    case "start":
    case "pause":
    case "drain":
    case "finish":
    case "take-speeds":
    case "refuse-speeds":
    case "forget-speeds":
      return { action };
    case "completions":
      return { action, on: asBoolean(json.on, "on") };
    case "tune":
      return { action, changes: parseChanges(asObject(json.changes, "changes")) };
    case "describe":
      return { action, card: parseCard(asObject(json.card, "card")) };
    case "rollback":
      return { action, version: count(json.version, "version") };
    case "ban":
    case "forgive":
      return { action, volunteer: as(isVolunteerKey, json.volunteer, "volunteer") };
    default:
      return as((_: unknown): _ is OperatorAction => false, action, "action");
  }
}

function parseChanges(json: Json): Partial<Tuning> {
  const changes: Partial<Record<keyof Tuning, number>> = {};
  for (const key of TUNABLE) {
    if (json[key] !== undefined) changes[key] = amount(json[key], key);
  }
  return changes;
}

const MAX_ROWS = 5_000;
const nats = number(0, MAX_LOSS);

export const auditEntry = object({
  /** ISO 8601. */
  at: text(40),
  who: text(200),
  action: text(2_000),
});
/** One line of the operators' log. */
export type AuditEntry = ReturnType<typeof auditEntry>;

const versionPoint = object({
  version: count,
  /** The run clock: milliseconds served until it was published. */
  at: count,
  /** All tokens merged into it. */
  tokens: count,
  deltas: count,
  /** These, and what was refused or discarded since the version before; of refusals only those since the server started. */
  came: count,
  /** From the version before to this one. */
  ms: count,
  /** Its volunteers' reported loss, nats a token, weighted by tokens. */
  loss: nats,
});
/** A published version, as the operator sees it. */
export type VersionPoint = ReturnType<typeof versionPoint>;

const measuredPoint = object({
  version: count,
  at: count,
  tokens: count,
  loss: nats,
  /** On held-out text that was added since the run began; absent where none was. */
  added: optional(nats),
});
export type MeasuredPoint = ReturnType<typeof measuredPoint>;

const tally = record(count);
/** How often each name of a kind was there. */
export type Tally = ReturnType<typeof tally>;

const siteCount = object({
  origin: text(300),
  /** Of the last minute. */
  volunteers: count,
  /** Deltas accepted, and tokens of them that were merged. */
  tickets: count,
  tokens: count,
});
/** Counts of a site that may embed the volunteer. */
export type SiteCount = ReturnType<typeof siteCount>;

/** Reads `GET /api/operator/overview`. Throws `bad-request`. */
export const parseOverview = message({
  /** The signed-in operator's name. */
  operator: text(MAX_LABEL),
  state: runState,
  /** No ticket is given, and the run pauses when the last one is back. */
  draining: flag,
  /** Whether the model writes for whoever asks (rule Q1); absent in a server of an earlier release. */
  completions: optional(flag),
  /** Volunteers of the last minute. */
  here: object({ device: tally, browser: tally, backend: tally }),
  /** Single volunteers, bounded: those kept out first, then the refused, then by credit. */
  volunteers: list(enlisted, MAX_ENLISTED),
  /** Merged deltas by how many versions late they came, from 0, over the newest versions. */
  staleness: list(count, MAX_ROWS),
  /** Audits of deltas since the run began, by verdict. */
  audits: object({ good: count, bad: count }),
  /** Audits by volunteers since the run began, by what settled them, and answers that were wrong (rule AU8). */
  sharedAudits: object({ agreement: count, server: count, wrong: count }),
  versions: list(versionPoint, MAX_ROWS),
  heldOut: list(measuredPoint, MAX_ROWS),
  /** Since the server started, and over the last minute. */
  traffic: object({ up: amount, down: amount, upPerSecond: amount, downPerSecond: amount }),
  machine: object({
    /** The event loop's delay over the last minute: median and 99th percentile, ms. */
    delayMs: object({ p50: amount, p99: amount }),
    memoryBytes: amount,
    upMs: amount,
    disk: object({ freeBytes: amount, totalBytes: amount }),
  }),
  /** Versions that are stored whole, newest first. */
  snapshots: list(count, MAX_ROWS),
  tuning,
  /** The sites that the operator named; none where any may embed. */
  sites: list(siteCount, MAX_ROWS),
  log: list(auditEntry, MAX_ROWS),
  /** Alerts, in words. */
  alerts: list(text(500), MAX_ROWS),
});
export type Overview = ReturnType<typeof parseOverview>;
