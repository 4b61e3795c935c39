import type { RunState } from "../../protocol/manifest.ts";
import type { VersionPoint } from "../../protocol/operator.ts";
import { type Setback, setbackOf } from "../../protocol/setback.ts";
import type { HeldOutPoint } from "../../protocol/status.ts";

/** What needs an operator's look. */
export interface Alert {
  readonly kind: "diverging" | "stalled" | "refusals" | "disk";
  readonly message: string;
}

export interface Facts {
  readonly state: RunState;
  /** Milliseconds since the newest version, on the run clock. */
  readonly sinceVersion: number;
  readonly volunteers: number;
  /** What the server measured of the versions that still count: none that was taken back. */
  readonly heldOut: readonly HeldOutPoint[];
  readonly versions: readonly VersionPoint[];
  /** Nats a token of guessing uniformly. */
  readonly uniform: number;
  /** Deltas merged and refused over the last minutes. */
  readonly lately: { readonly merged: number; readonly refused: number };
  /** On the data directory's disk. */
  readonly freeBytes: number;
}

/** Volunteers are there, and no version came for so long: five times the longest deadline of a version. */
const STALLED_MS = 5 * 60_000;
/** Refused deltas are a spike when there are so many, and as many as were merged. */
const SPIKE = 20;
/** A disk is nearly full with less than this free: a few versions of the largest model, with their states. */
const FULL_BYTES = 2e9;

/** What is wrong now; nothing where all is well. */
export function alertsOf(facts: Facts): Alert[] {
  return [diverging(facts), stalled(facts), refusals(facts), disk(facts)].filter((one) => one !== undefined);
}

function diverging({ heldOut, versions, uniform }: Facts): Alert | undefined {
  const setback = setbackOf(heldOut, uniform);
  if (setback !== undefined) return { kind: "diverging", message: wordsOf(setback, uniform) };
  const newest = versions.at(-1);
  if (newest !== undefined && !(newest.loss <= 2 * uniform)) {
    const told = `volunteers of version ${newest.version} report a loss of ${newest.loss.toFixed(2)}`;
    return { kind: "diverging", message: `${told}, far above guessing (${uniform.toFixed(2)})` };
  }
  return undefined;
}

/** E.g. `held-out loss was 4.38 at version 58 and stays at 5.11: the model is getting worse`. */
export function wordsOf({ kind, loss, best }: Setback, uniform: number): string {
  const [now, then] = [loss.toFixed(2), best.loss.toFixed(2)];
  return kind === "guessing"
    ? `held-out loss stays at ${now}: the model does worse than guessing, which has ${uniform.toFixed(2)}`
    : `held-out loss was ${then} at version ${best.version} and stays at ${now}: the model is getting worse`;
}

function stalled({ state, sinceVersion, volunteers }: Facts): Alert | undefined {
  if (state !== "running" || volunteers === 0 || sinceVersion < STALLED_MS) return undefined;
  const minutes = Math.round(sinceVersion / 60_000);
  return {
    kind: "stalled",
    message: `no version for ${minutes} minutes, with ${volunteers} volunteers here`,
  };
}

function refusals({ lately: { merged, refused } }: Facts): Alert | undefined {
  if (refused < SPIKE || refused < merged) return undefined;
  return { kind: "refusals", message: `${refused} deltas refused and ${merged} merged in the last minutes` };
}

function disk({ freeBytes }: Facts): Alert | undefined {
  if (freeBytes >= FULL_BYTES) return undefined;
  return { kind: "disk", message: `the disk has ${(freeBytes / 1e9).toFixed(1)} GB left` };
}
