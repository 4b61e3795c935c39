import { parseCard, type RunCard } from "./card.ts";
import { as, asArray, asBoolean, asInteger, asNumber, asObject, asText, type Json } from "./guards.ts";
import { isVolunteerKey, type VolunteerKey } from "./ids.ts";
import { MAX_LABEL, MAX_LOSS } from "./limits.ts";
import { isRunState, type RunState } from "./manifest.ts";
import { type Enlisted, MAX_ENLISTED, parseEnlisted } from "./roster.ts";

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

/** Settings that may change while a run is served: each ticket and each closing decides by the newest. */
export interface Tuning {
  readonly quorum: number;
  readonly leaseSeconds: number;
  readonly tokenBudget: number;
  readonly learningRate: number;
  readonly finalRate: number;
}

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
    if (json[key] !== undefined) changes[key] = asNumber(json[key], key, 0, MAX_COUNT);
  }
  return changes;
}

/** One line of the operators' log. */
export interface AuditEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly who: string;
  readonly action: string;
}

/** A published version, as the operator sees it. */
export interface VersionPoint {
  readonly version: number;
  /** The run clock: milliseconds served until it was published. */
  readonly at: number;
  /** All tokens merged into it. */
  readonly tokens: number;
  readonly deltas: number;
  /** These, and what was refused or discarded since the version before; of refusals only those since the server started. */
  readonly came: number;
  /** From the version before to this one. */
  readonly ms: number;
  /** Its volunteers' reported loss, nats a token, weighted by tokens. */
  readonly loss: number;
}

export interface MeasuredPoint {
  readonly version: number;
  readonly at: number;
  readonly tokens: number;
  readonly loss: number;
  /** On held-out text that was added since the run began; absent where none was. */
  readonly added?: number;
}

/** How often each name of a kind was there. */
export type Tally = Readonly<Record<string, number>>;

/** Counts of a site that may embed the volunteer. */
export interface SiteCount {
  readonly origin: string;
  /** Of the last minute. */
  readonly volunteers: number;
  /** Deltas accepted, and tokens of them that were merged. */
  readonly tickets: number;
  readonly tokens: number;
}

export interface Overview {
  /** The signed-in operator's name. */
  readonly operator: string;
  readonly state: RunState;
  /** No ticket is given, and the run pauses when the last one is back. */
  readonly draining: boolean;
  /** Whether the model writes for whoever asks (rule Q1); absent in a server of an earlier release. */
  readonly completions?: boolean;
  /** Volunteers of the last minute. */
  readonly here: { readonly device: Tally; readonly browser: Tally; readonly backend: Tally };
  /** Single volunteers, bounded: those kept out first, then the refused, then by credit. */
  readonly volunteers: readonly Enlisted[];
  /** Merged deltas by how many versions late they came, from 0, over the newest versions. */
  readonly staleness: readonly number[];
  /** Audits of deltas since the run began, by verdict. */
  readonly audits: { readonly good: number; readonly bad: number };
  /** Audits by volunteers since the run began, by what settled them, and answers that were wrong (rule AU8). */
  readonly sharedAudits: { readonly agreement: number; readonly server: number; readonly wrong: number };
  readonly versions: readonly VersionPoint[];
  readonly heldOut: readonly MeasuredPoint[];
  /** Since the server started, and over the last minute. */
  readonly traffic: {
    readonly up: number;
    readonly down: number;
    readonly upPerSecond: number;
    readonly downPerSecond: number;
  };
  readonly machine: {
    /** The event loop's delay over the last minute: median and 99th percentile, ms. */
    readonly delayMs: { readonly p50: number; readonly p99: number };
    readonly memoryBytes: number;
    readonly upMs: number;
    readonly disk: { readonly freeBytes: number; readonly totalBytes: number };
  };
  /** Versions that are stored whole, newest first. */
  readonly snapshots: readonly number[];
  readonly tuning: Tuning;
  /** The sites that the operator named; none where any may embed. */
  readonly sites: readonly SiteCount[];
  readonly log: readonly AuditEntry[];
  /** Alerts, in words. */
  readonly alerts: readonly string[];
}

const MAX_COUNT = Number.MAX_SAFE_INTEGER;
const MAX_ROWS = 5_000;
const count = (value: unknown, field: string) => asInteger(value, field, 0, MAX_COUNT);
const amount = (value: unknown, field: string) => asNumber(value, field, 0, MAX_COUNT);
const nats = (value: unknown, field: string) => asNumber(value, field, 0, MAX_LOSS);

/** Reads `GET /api/operator/overview`. Throws `bad-request`. */
export function parseOverview(json: Json): Overview {
  const here = asObject(json.here, "here");
  const traffic = asObject(json.traffic, "traffic");
  const machine = asObject(json.machine, "machine");
  const delay = asObject(machine.delayMs, "machine.delayMs");
  const disk = asObject(machine.disk, "machine.disk");
  const tuning = asObject(json.tuning, "tuning");
  const audits = asObject(json.audits, "audits");
  const shared = asObject(json.sharedAudits, "sharedAudits");
  const rows = (name: string) => asArray(json[name], name, MAX_ROWS);
  return {
    operator: asText(json.operator, "operator", MAX_LABEL),
    state: as(isRunState, json.state, "state"),
    draining: asBoolean(json.draining, "draining"),
    ...(json.completions !== undefined && { completions: asBoolean(json.completions, "completions") }),
    here: {
      device: parseTally(here.device, "here.device"),
      browser: parseTally(here.browser, "here.browser"),
      backend: parseTally(here.backend, "here.backend"),
    },
    volunteers: asArray(json.volunteers, "volunteers", MAX_ENLISTED).map(parseEnlisted),
    staleness: rows("staleness").map((one) => count(one, "staleness[]")),
    audits: { good: count(audits.good, "audits.good"), bad: count(audits.bad, "audits.bad") },
    sharedAudits: {
      agreement: count(shared.agreement, "sharedAudits.agreement"),
      server: count(shared.server, "sharedAudits.server"),
      wrong: count(shared.wrong, "sharedAudits.wrong"),
    },
    versions: rows("versions").map(parseVersion),
    heldOut: rows("heldOut").map(parseMeasured),
    traffic: {
      up: amount(traffic.up, "traffic.up"),
      down: amount(traffic.down, "traffic.down"),
      upPerSecond: amount(traffic.upPerSecond, "traffic.upPerSecond"),
      downPerSecond: amount(traffic.downPerSecond, "traffic.downPerSecond"),
    },
    machine: {
      delayMs: { p50: amount(delay.p50, "delayMs.p50"), p99: amount(delay.p99, "delayMs.p99") },
      memoryBytes: amount(machine.memoryBytes, "machine.memoryBytes"),
      upMs: amount(machine.upMs, "machine.upMs"),
      disk: {
        freeBytes: amount(disk.freeBytes, "disk.freeBytes"),
        totalBytes: amount(disk.totalBytes, "disk.totalBytes"),
      },
    },
    snapshots: rows("snapshots").map((one) => count(one, "snapshots[]")),
    tuning: {
      quorum: amount(tuning.quorum, "tuning.quorum"),
      leaseSeconds: amount(tuning.leaseSeconds, "tuning.leaseSeconds"),
      tokenBudget: amount(tuning.tokenBudget, "tuning.tokenBudget"),
      learningRate: amount(tuning.learningRate, "tuning.learningRate"),
      finalRate: amount(tuning.finalRate, "tuning.finalRate"),
    },
    sites: rows("sites").map(parseSite),
    log: rows("log").map(parseAuditEntry),
    alerts: rows("alerts").map((one) => asText(one, "alerts[]", 500)),
  };
}

const parseTally = (value: unknown, field: string): Tally =>
  Object.fromEntries(
    Object.entries(asObject(value, field)).map(([name, times]) => [name, count(times, field)]),
  );

function parseVersion(value: unknown): VersionPoint {
  const json = asObject(value, "versions[]");
  return {
    ...parseMeasured(json),
    deltas: count(json.deltas, "versions[].deltas"),
    came: count(json.came, "versions[].came"),
    ms: count(json.ms, "versions[].ms"),
  };
}

function parseMeasured(value: unknown): MeasuredPoint {
  const json = asObject(value, "a point");
  return {
    version: count(json.version, "version"),
    at: count(json.at, "at"),
    tokens: count(json.tokens, "tokens"),
    loss: nats(json.loss, "loss"),
    ...(json.added !== undefined && { added: nats(json.added, "added") }),
  };
}

function parseSite(value: unknown): SiteCount {
  const json = asObject(value, "sites[]");
  return {
    origin: asText(json.origin, "sites[].origin", 300),
    volunteers: count(json.volunteers, "sites[].volunteers"),
    tickets: count(json.tickets, "sites[].tickets"),
    tokens: count(json.tokens, "sites[].tokens"),
  };
}

export function parseAuditEntry(value: unknown): AuditEntry {
  const json = asObject(value, "log[]");
  return {
    at: asText(json.at, "log[].at", 40),
    who: asText(json.who, "log[].who", 200),
    action: asText(json.action, "log[].action", 2_000),
  };
}
