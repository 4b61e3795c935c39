import type { RunId } from "../../protocol/ids.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { InnerName } from "../../protocol/ticket.ts";
import type { WeighingRule } from "../trust/weigh.ts";
import type { TextAdded } from "./events.ts";
import type { Ranges } from "./ranges.ts";
import type { RoundRules } from "./rounds.ts";

/** A run's rules, some of which an operator can change (run/tuning.ts). None depends on the vector's meaning. */
export interface Rules {
  readonly run: RunId;
  readonly ranges: Ranges;
  /** Text beside the run's first, in its order: what is not in yet comes in at the next boundary. */
  readonly texts?: readonly Pick<TextAdded, "text" | "tokens">[];
  /** Inner steps of the next ticket of a volunteer with these measurements, where this many are at work. */
  readonly steps: (pace: Pace, working: number, crowded: boolean) => number;
  /** Sequences of a micro-batch: of every ticket's where volunteers take turns, and of the server's own steps. */
  readonly batch: number;
  /** Of a run on a clock; absent: volunteers take turns. */
  readonly rounds?: RoundRules;
  /** Part of its steps that a fresh ticket has, where volunteers compute them again; absent: all. */
  readonly freshPart?: number;
  /** Tokens of one sequence. */
  readonly context: number;
  readonly leaseMs: number;
  readonly quorum: number;
  /** Volunteers at work on a version, at most, while others wait for their turn. */
  readonly crowd: number;
  readonly tokenBudget: number;
  /** How a version's deltas are weighed. */
  readonly weigh: WeighingRule;
  /** Part by which held-out loss may exceed its recent lowest before the run is rolled back. */
  readonly tripwire: number;
  /** Learning rates of a ticket of this many steps, of this many sequences, issued when this many tokens are merged. */
  readonly rates: (
    tokens: number,
    steps: number,
    batch: number,
    inner?: InnerName,
    crowd?: boolean,
  ) => readonly number[];
}

/** Versions after which a delta is refused: the weights it starts from are long gone. */
export const MAX_STALENESS = 4;

/** Milliseconds that a volunteer counts as active after its last request. */
export const ACTIVE_MS = 60_000;

/** Tickets one volunteer may hold: one it trains on, one it fetched ahead. */
export const LEASES_EACH = 2;

/** Leases at once: bounds memory when strangers ask with ever new keys (about 1 KB each). */
export const MAX_LEASES = 10_000;

/** Volunteers remembered as active: bounds the same memory. */
export const MAX_SEEN = 20_000;

/** Deltas accepted and not merged, about 1 KB each: when merging cannot keep up, senders wait. */
export const MAX_POOL = 4_096;

/** Milliseconds that a volunteer waits when there is no work for it. */
export const NO_WORK_RETRY_MS = 5_000;
export const PAUSED_RETRY_MS = 30_000;
