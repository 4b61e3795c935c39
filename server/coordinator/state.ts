import type { MergedEntry } from "../../protocol/history.ts";
import type { Hash, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { RunState } from "../../protocol/manifest.ts";
import type { HeldOutPoint, Sample, VersionSummary } from "../../protocol/status.ts";
import type { InnerName } from "../../protocol/ticket.ts";
import type { ReadonlyList } from "../lib/append-list.ts";
import type { Candidate } from "../trust/candidate.ts";
import { NO_TRUST, type Trust } from "../trust/standing.ts";
import type { Closed, Created, TextAdded } from "./events.ts";
import { FIRST_ROUND_MS, type Timed } from "./rounds.ts";
import type { Samples } from "./samples.ts";

/**
 * A run's whole state, except its vectors. A value: every event makes a new one that shares what did not
 * change, so a caller may keep an old state and nothing it holds will move. Everything but `soft` follows
 * from the journal alone. Memory is bounded by rules.ts: what grows with the run's age is in the index.
 */
export interface State {
  /** The run clock at the last durable event. */
  readonly at: number;
  readonly phase: RunState;
  readonly version: number;
  readonly hash: Hash;
  /** The hash of the version's record, which the next one names; version 0 has none. */
  readonly record: Hash | undefined;
  /** The run clock when the version was published. */
  readonly publishedAt: number;
  /** All tokens merged so far. */
  readonly tokens: number;
  /** Deltas merged, and accepted but discarded, so far. */
  readonly merged: number;
  readonly discarded: number;
  /** Accepted and waiting, in journal order. */
  readonly pool: ReadonlyList<Pooled>;
  /** A closed version until its successor is published. */
  readonly closing: Closing | undefined;
  /** Tickets whose delta was accepted, with their version, while that is recent enough to be sent again. */
  readonly used: ReadonlyMap<TicketId, number>;
  /** One more than the highest accepted position. */
  readonly frontier: number;
  /** Positions below the frontier whose delta was not accepted. */
  readonly gaps: ReadonlyMap<number, true>;
  /** How long the newest deltas took from ticket to acceptance, ms. */
  readonly took: readonly number[];
  /** The newest deltas' measurements of links and machines, in a run on a clock; of the trusted alone, once there are some. */
  readonly timings: readonly Timed[];
  /** What the newest versions are made of, newest first; of a run on a clock. */
  readonly efforts: readonly Effort[];
  /** Milliseconds of the open version's round, and what its tickets train with; of a run on a clock. */
  readonly round: number;
  readonly inner: InnerName;
  /** Text that came in after the run began, in its order. */
  readonly texts: readonly Pick<TextAdded, "version" | "from" | "text" | "tokens">[];
  /** Oldest first, thinned. */
  readonly heldOut: readonly HeldOutPoint[];
  readonly sample: Sample | null;
  /** Of early versions, oldest first. */
  readonly samples: Samples;
  /** Newest first, the newest few. */
  readonly versions: readonly VersionSummary[];
  /** Recent merges, oldest first: the speed shown. */
  readonly recent: readonly { readonly at: number; readonly tokens: number }[];
  /** The audits' knowledge of the volunteers. */
  readonly trust: Trust;
  /** Tickets of versions before this one are void: the weights were taken back since. */
  readonly floor: number;
  readonly soft: Soft;
}

/** The part of the state that a restart forgets. */
export interface Soft {
  /** Issued and neither used nor expired, oldest first. */
  readonly leases: ReadonlyMap<TicketId, Lease>;
  /** Positions to give out again, before any new one. */
  readonly queue: readonly number[];
  /** The next position nobody was ever given. */
  readonly next: number;
  /** When each volunteer last asked or sent, oldest first. */
  readonly seen: ReadonlyMap<VolunteerKey, number>;
  /** Volunteers that have answered their last fresh ticket, oldest first: any other trusted one owes an answer. */
  readonly paid: ReadonlyMap<VolunteerKey, true>;
}

export interface Lease {
  readonly volunteer: VolunteerKey;
  readonly position: number;
  readonly fresh: boolean;
  readonly expires: number;
  /** When its delta is to be there, of a run on a clock. */
  readonly due?: number;
}

/** An accepted delta, as its merge and its credit need it. */
export interface Pooled extends Candidate {
  /** SHA-256 of the frame. */
  readonly delta: Hash;
  readonly at: number;
  /** Of a ticket of a run on a clock: what it trained with, and what was done. */
  readonly inner?: InnerName;
  readonly done?: Done;
}

/** What was done of a ticket, as its volunteer says. */
export interface Done {
  readonly steps: number;
  /** Milliseconds of its steps, and no more than its delta took in all. */
  readonly trainMs: number;
  /** The delta's L2 norm. */
  readonly norm?: number;
}

export interface Closing {
  readonly event: Closed;
  /** Tokens that the deltas to be merged count for. */
  readonly tokens: number;
  /** The entries of the version's record. */
  readonly entries: readonly MergedEntry[];
  /** Of a run on a clock. */
  readonly effort?: Omit<Effort, "ms" | "cosine">;
  /** How long their mean would be if they were all the same; see similarity.ts. */
  readonly lengths?: Lengths;
}

/** What the mean's length is compared with: of each delta its share of the weight times its norm. */
export interface Lengths {
  /** The sum: the mean's length where all deltas point the same way. */
  readonly sum: number;
  /** The sum of the squares: the square of that length where no two have anything in common. */
  readonly squares: number;
}

/** What a version of a run on a clock is made of. */
export interface Effort {
  /** Milliseconds from the version before to this one. */
  readonly ms: number;
  readonly deltas: number;
  /** Volunteers that these are of. */
  readonly volunteers: number;
  /** How many of the deltas were made for an earlier version. */
  readonly late: number;
  /** Inner steps of all deltas, and the milliseconds that these took, as the volunteers say. */
  readonly steps: number;
  readonly trainMs: number;
  /** Mean cosine of the angle between two of the deltas, where that is known. */
  readonly cosine?: number;
}

/** The state that `created` begins. */
export function begin(event: Created): State {
  return {
    at: event.at,
    phase: event.paused ? "paused" : "running",
    version: 0,
    hash: event.hash,
    record: undefined,
    publishedAt: event.at,
    tokens: 0,
    merged: 0,
    discarded: 0,
    pool: [],
    closing: undefined,
    used: new Map(),
    frontier: 0,
    gaps: new Map(),
    took: [],
    timings: [],
    efforts: [],
    round: FIRST_ROUND_MS,
    inner: "muon",
    texts: [],
    heldOut: [],
    sample: null,
    samples: [],
    versions: [],
    recent: [],
    trust: NO_TRUST,
    floor: 0,
    soft: nothingSoft([], 0),
  };
}

/** The state after a restart: everything soft is gone, and the text nobody has trained on is given out again. */
export function restarted(state: State): State {
  const queue = [...state.gaps.keys()].sort((a, b) => a - b);
  return { ...state, soft: nothingSoft(queue, state.frontier) };
}

const nothingSoft = (queue: readonly number[], next: number): Soft => ({
  ...{ queue, next },
  leases: new Map(),
  seen: new Map(),
  paid: new Map(),
});

/** No ticket is outstanding, and no delta waits to be merged. */
export const isDrained = ({ soft, pool, closing }: State): boolean =>
  soft.leases.size === 0 && pool.length === 0 && closing === undefined;
