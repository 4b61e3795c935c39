import type { RunCard } from "./card.ts";
import type { RunState } from "./manifest.ts";
import type { HeldOutPoint } from "./status.ts";

/** The paths of a server of several runs, which it has beside those of each run (rule M4). */
export const LOBBY_ROUTES = {
  runs: "/api/runs",
  /** For the operator of all runs: lists them, and makes, archives and deletes one. */
  operatorRuns: "/api/operator/runs",
} as const;

/** The answer of `GET /api/runs`. */
export interface Lobby {
  readonly runs: readonly RunSummary[];
}

/** What the first page of a server of several runs says of each: the same as its `/api/run`, and shorter. */
export interface RunSummary {
  /** Of its folder and its path. */
  readonly id: string;
  /** Below the server's base, without a slash at its end. */
  readonly path: string;
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
  /** The newest measurement; null before the first. */
  readonly heldOut: HeldOutPoint | null;
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
