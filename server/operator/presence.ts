import type { VolunteerKey } from "../../protocol/ids.ts";
import type { Overview } from "../../protocol/operator.ts";
import type { Enlisted } from "../../protocol/roster.ts";
import { forgetOldest } from "../lib/oldest.ts";

/** Milliseconds that a volunteer counts as here after its last request. */
const HERE_MS = 60_000;
/** Volunteers remembered: bounds memory against ever new keys. */
const MAX_REMEMBERED = 20_000;

interface Seen {
  readonly at: number;
  readonly device: string;
  readonly browser: string;
  readonly backend: string;
}

/** Backends that a delta's report may name; anything else a stranger wrote is "other". */
const BACKENDS = new Set(["webgpu", "wasm", "webgl", "cpu"]);

/** The volunteers that are here, by kind. The names of kinds are ours and few: nothing a stranger sends becomes one. */
export class Presence {
  readonly #now: () => number;
  readonly #seen = new Map<VolunteerKey, Seen>();

  /** `now` is monotonic, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A volunteer made a signed request. */
  asked(volunteer: VolunteerKey, userAgent: string | undefined): void {
    const backend = this.#seen.get(volunteer)?.backend ?? "unknown";
    this.#note(volunteer, { at: this.#now(), ...kindOf(userAgent ?? ""), backend });
  }

  /** A volunteer's delta was accepted; its report begins with the backend's name. */
  trained(volunteer: VolunteerKey, report: string): void {
    const before = this.#seen.get(volunteer);
    if (before === undefined) return; // of the journal, before this start
    const name = report.split(",", 1)[0] ?? "";
    this.#note(volunteer, { ...before, backend: BACKENDS.has(name) ? name : "other" });
  }

  /** A volunteer's device and browser, as remembered. */
  seen(volunteer: VolunteerKey): Readonly<Record<string, string>> | undefined {
    const found = this.#seen.get(volunteer);
    return found && { device: found.device, browser: found.browser, backend: found.backend };
  }

  /** The volunteers seen last, newest first. */
  seenLast(most: number): readonly VolunteerKey[] {
    return [...this.#seen.keys()].slice(-most).reverse();
  }

  /** The same with its age, for the operator's list. */
  detailsOf(volunteer: VolunteerKey): Pick<Enlisted, "seenMs" | "device" | "browser" | "backend"> {
    const found = this.#seen.get(volunteer);
    if (found === undefined) return { seenMs: null, device: "", browser: "", backend: "" };
    const { at, device, browser, backend } = found;
    return { seenMs: Math.max(0, Math.round(this.#now() - at)), device, browser, backend };
  }

  forget(volunteer: VolunteerKey): void {
    this.#seen.delete(volunteer);
  }

  here(): Overview["here"] {
    const since = this.#now() - HERE_MS;
    const present = [...this.#seen.values()].filter(({ at }) => at >= since);
    return {
      device: tally(present.map(({ device }) => device)),
      browser: tally(present.map(({ browser }) => browser)),
      backend: tally(present.map(({ backend }) => backend)),
    };
  }

  /** Re-inserting on use makes a Map's first entry the least recently seen. */
  #note(volunteer: VolunteerKey, seen: Seen): void {
    this.#seen.delete(volunteer);
    this.#seen.set(volunteer, seen);
    forgetOldest(this.#seen, MAX_REMEMBERED);
  }
}

/** In this order: an Edge also calls itself Chrome, and a Chrome Safari. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Headless)?(?:Chrome|CriOS)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^(?:node|undici)\b/i, "Node"],
];

function kindOf(userAgent: string): { device: string; browser: string } {
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? "other";
  if (browser === "Node") return { device: "program", browser };
  if (/\biPad\b|\bTablet\b|Android(?!.*Mobile)/.test(userAgent)) return { device: "tablet", browser };
  if (/\bMobile\b|\biPhone\b/.test(userAgent)) return { device: "phone", browser };
  return { device: browser === "other" ? "other" : "computer", browser };
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
