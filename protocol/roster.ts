import { as, asInteger, asObject, asText } from "./guards.ts";
import { isVolunteerKey, type VolunteerKey } from "./ids.ts";
import { normaliseName } from "./people.ts";

/** Single volunteers, for the operator: those seen last, those with refusals, and those kept out. */
export interface Enlisted {
  readonly volunteer: VolunteerKey;
  /** The name it asked for, or null. */
  readonly name: string | null;
  readonly standing: Standing;
  /** Milliseconds until something of a quarantined one is taken again; 0 for the others. */
  readonly outMs: number;
  /** Deltas merged, and tokens of them. */
  readonly merged: number;
  readonly tokens: number;
  /** Other keys that are the same person's by its own word, and tokens of them all; 0 and `tokens` where there are none. */
  readonly linked: number;
  readonly together: number;
  /** Deltas accepted and then not merged: found bad by an audit, or overtaken. */
  readonly discarded: number;
  /** Refusals since the server started, by error code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Since its last request; null where there was none since the server started. */
  readonly seenMs: number | null;
  /** Our own names of kinds, the empty text where nothing is known. */
  readonly device: string;
  readonly browser: string;
  readonly backend: string;
}

export const STANDINGS = ["banned", "quarantined", "trusted", "new"] as const;

/** `trusted`: an audit found a delta of it good, and none bad since. */
export type Standing = (typeof STANDINGS)[number];

/** Volunteers listed at most. */
export const MAX_ENLISTED = 60;

const MAX_COUNT = Number.MAX_SAFE_INTEGER;
const isStanding = (value: unknown): value is Standing => STANDINGS.some((one) => one === value);

/** Throws `bad-request`. */
export function parseEnlisted(value: unknown): Enlisted {
  const json = asObject(value, "volunteers[]");
  const count = (field: string) => asInteger(json[field], `volunteers[].${field}`, 0, MAX_COUNT);
  const kind = (field: string) => asText(json[field], `volunteers[].${field}`, 20);
  const refused = Object.entries(asObject(json.refused, "volunteers[].refused"));
  return {
    volunteer: as(isVolunteerKey, json.volunteer, "volunteers[].volunteer"),
    name: json.name === null ? null : normaliseName(json.name),
    standing: as(isStanding, json.standing, "volunteers[].standing"),
    outMs: count("outMs"),
    merged: count("merged"),
    tokens: count("tokens"),
    linked: count("linked"),
    together: count("together"),
    discarded: count("discarded"),
    refused: Object.fromEntries(
      refused.map(([code, times]) => [code, asInteger(times, "volunteers[].refused", 0, MAX_COUNT)]),
    ),
    seenMs: json.seenMs === null ? null : count("seenMs"),
    device: kind("device"),
    browser: kind("browser"),
    backend: kind("backend"),
  };
}
