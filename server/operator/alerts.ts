import type { RunState } from "../../protocol/manifest.ts";
import { type Setback, setbackOf } from "../../protocol/setback.ts";
import type { HeldOutPoint } from "../../protocol/status.ts";

/** Of a run on a cluster: nobody leads it, or an edge cannot follow; and what is wrong with the cluster. */
type ClusterKind = "leaderless" | "lag" | "node" | "lost" | "full" | "unsynced";

/** A condition that needs an operator. */
export interface Alert {
  readonly kind: "diverging" | "stalled" | "refusals" | "disk" | "proxy" | ClusterKind;
  readonly message: string;
}

export interface AlertInputs {
  readonly state: RunState;
  /** Milliseconds for which a delta that nothing speaks against has waited for its version, on the run clock. */
  readonly waitedMs: number;
  /** Held-out measurements of the versions that still count: none that was taken back. */
  readonly heldOut: readonly HeldOutPoint[];
  /** Nats a token of guessing uniformly. */
  readonly uniform: number;
  /** Deltas merged over the last minutes, and how often each sender of work that was merged before was refused. */
  readonly lately: { readonly merged: number; readonly refused: ReadonlyMap<string, number> };
  /** On the data directory's disk. */
  readonly freeBytes: number;
  /** Whether the proxy in front passed on a client's address that the operator's page made up. */
  readonly madeUp: boolean;
}

/**
 * Milliseconds without a version, though there is work, that count as stalled: five times the longest deadline of a
 * version.
 */
const STALLED_MS = 5 * 60_000;
/** Refused deltas from which there is a spike, if as many were refused as merged. */
const SPIKE = 20;
/** Senders that a spike needs, each counted at most this often: no single sender makes a spike. */
const SPIKE_SENDERS = 3;
const MAX_OF_SENDER = 10;
/** Free bytes below which a disk is nearly full: a few versions of the largest model, with their states. */
const FULL_BYTES = 2e9;

/** The alerts that hold now. */
export function alertsOf(inputs: AlertInputs): Alert[] {
  const all = [diverging(inputs), stalled(inputs), refusals(inputs), disk(inputs), proxy(inputs)];
  return all.filter((one) => one !== undefined);
}

/** By what the server measured itself: the losses that volunteers report are strangers' words. */
function diverging({ heldOut, uniform }: AlertInputs): Alert | undefined {
  const setback = setbackOf(heldOut, uniform);
  if (setback !== undefined) return { kind: "diverging", message: wordsOf(setback, uniform) };
  return undefined;
}

/** E.g. `held-out loss was 4.38 at version 58 and stays at 5.11: the model is getting worse`. */
export function wordsOf({ kind, loss, best }: Setback, uniform: number): string {
  const [now, then] = [loss.toFixed(2), best.loss.toFixed(2)];
  return kind === "guessing"
    ? `held-out loss stays at ${now}: the model does worse than guessing, which has ${uniform.toFixed(2)}`
    : `held-out loss was ${then} at version ${best.version} and stays at ${now}: the model is getting worse`;
}

function stalled({ state, waitedMs }: AlertInputs): Alert | undefined {
  if (state !== "running" || waitedMs < STALLED_MS) return undefined;
  return {
    kind: "stalled",
    message: `deltas have waited for ${Math.round(waitedMs / 60_000)} minutes for a version`,
  };
}

function refusals({ lately: { merged, refused } }: AlertInputs): Alert | undefined {
  const counts = [...refused.values()].map((times) => Math.min(times, MAX_OF_SENDER));
  const total = counts.reduce((sum, times) => sum + times, 0);
  if (counts.length < SPIKE_SENDERS || total < SPIKE || total < merged) return undefined;
  const whose = `of ${counts.length} senders whose work was merged before`;
  return {
    kind: "refusals",
    message: `${total} deltas ${whose} were refused and ${merged} merged in the last minutes`,
  };
}

function disk({ freeBytes }: AlertInputs): Alert | undefined {
  if (freeBytes >= FULL_BYTES) return undefined;
  return { kind: "disk", message: `the disk has ${(freeBytes / 1e9).toFixed(1)} GB left` };
}

function proxy({ madeUp }: AlertInputs): Alert | undefined {
  if (!madeUp) return undefined;
  const message =
    "--trust-proxy is set, but X-Forwarded-For arrives as the browser sent it, so that any visitor may choose the address " +
    "that limits count: let the proxy write it or append to it, and --proxy-hops be the number of those that do";
  return { kind: "proxy", message };
}
