import type { Alert } from "./alerts.ts";

/**
 * Milliseconds without a sign of a server that leads, or without a look at the journal's end, that an operator should know of:
 * the longest takeover that was measured took 37 s.
 */
const SILENT_MS = 60_000;

/** What a server knows that follows a run on a cluster. */
export interface EdgeInputs {
  /** The server, for people. */
  readonly who: string;
  /** Milliseconds since it heard of one that leads. */
  readonly leaderSilentMs: number;
  /** Milliseconds since it knew all that the journal has. */
  readonly behindMs: number;
}

/** Nobody but an edge can tell that none leads. One that is cut off cannot tell that, and only speaks of itself. */
export function edgeAlertsOf({ who, leaderSilentMs, behindMs }: EdgeInputs): Alert[] {
  const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
  if (behindMs >= SILENT_MS)
    return [{ kind: "lag", message: `${who} has not followed the run for ${seconds(behindMs)}` }];
  if (leaderSilentMs < SILENT_MS) return [];
  return [
    { kind: "leaderless", message: `no server has led the run for ${seconds(leaderSilentMs)}, says ${who}` },
  ];
}
