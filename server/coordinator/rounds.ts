import type { CodecSpec } from "../../protocol/codec/codec.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { InnerName } from "../../protocol/ticket.ts";
import type { ReadonlyList } from "../lib/append-list.ts";
import { medianOf } from "../lib/median.ts";

/** How a run on a clock paces its volunteers: what the run file fixed, and what its deltas weigh. */
export interface RoundRules {
  /** Milliseconds of every round; absent: chosen by {@link roundAfter}. */
  readonly ms?: number;
  /** Sequences of every micro-batch; absent: chosen by {@link batchFor}. */
  readonly batch?: number;
  /** Inner steps of every ticket, at most; absent: chosen by the volunteer's speed. */
  readonly steps?: number;
  /** The inner optimiser; absent: chosen by {@link innerAfter}. */
  readonly inner?: InnerName;
  /** Crowds have Muon inside too, and their versions momentum outside. Absent: up to nine volunteers have Muon. */
  readonly muonCrowds?: true;
  /** What a version of fewer than a crowd's deltas has of a crowd's outer step grows with their number. Absent: it has nothing. */
  readonly crowdGrows?: true;
  /** Tickets of a crowd's, and with Muon inside, count the warm-up in steps. Absent: in tokens. */
  readonly warmUpInSteps?: true;
  /** Sequences of a micro-batch, at most: with AdamW, and with Muon inside. */
  readonly most: Readonly<Record<InnerName, number>>;
  /** Tokens of one sequence. */
  readonly context: number;
  /** How deltas may be sent, the finest first: by the volunteer's link ({@link sendingFor}). */
  readonly sendings: readonly [finest: Sending, ...coarser: Sending[]];
}

/** A codec of deltas, and the bytes of one. */
export interface Sending {
  readonly codec: CodecSpec;
  readonly bytes: number;
}

/** An accepted delta's measurements of its volunteer's link and machine. */
export interface Timing {
  /** Milliseconds from the end of its training to its acceptance, by the server's clock, had it been sent the finest way. */
  readonly linkMs: number;
  /** Milliseconds that training one sequence took, as its volunteer says, and no more than its delta took in all. */
  readonly sequenceMs: number;
}

/** A measurement, when it was made, and whether its volunteer was trusted then. */
export interface Timed extends Timing {
  readonly at: number;
  readonly trusted: boolean;
}

/** Milliseconds of the first round, when nothing is measured, and of the shortest and the longest there may be. */
export const FIRST_ROUND_MS = 1_000;
const MIN_ROUND_MS = 500;
const MAX_ROUND_MS = 60_000;
/** Milliseconds of a lone volunteer's round; the round of n is this ÷ n^¼, since many small versions learn more. */
const LONE_ROUND_MS = { adamw: 1_500, muon: 3_000 } as const;
/** Part of a round that the median link takes, at most. */
const LINK_PART = 1 / 5;
/** Steps that the median machine has time for in a round, at least. */
const MIN_STEPS = 4;
/** Factor by which a round's length changes from one to the next, at most. */
const MAX_CHANGE = 1.5;

/** Part of a round that must be left for training; a ticket is else for the end of the next round. */
const WORTH = 0.4;
/** Part that is enough for who has not sent for the open version: what it trains past its round's end is late. */
const WORTH_FIRST = 0.1;
/** Part of a round by which deltas are to arrive before it ends. */
const SLACK = 0.05;
/** Part of a round that the link of a volunteer without measurements is taken to need. */
const USUAL_LINK = 0.1;
/** Part of a round that a version whose round is over waits after its first delta. */
const GATHER = 0.1;
/** Rounds that a version waits for the run's quorum. */
const QUORUM_ROUNDS = 4;

/**
 * Deltas a version from which on they are a crowd's: micro-batches are smaller, AdamW's half of the most sequences and
 * Muon's a quarter, and the mean of Muon's has so little noise that momentum pays (docs/LEARNING.md).
 */
export const CROWD_FROM = 8;

/** Deltas a version from which on AdamW is inside, and under which Muon is again, in runs whose crowds have AdamW. */
const [ADAMW_FROM, MUON_UP_TO] = [10, 6];

/** Times the steps its volunteer is expected to do that a ticket has: it may be faster than it was. */
const HEADROOM = 1.5;
export const MAX_STEPS = 250;
/** Times the median machine's steps that a ticket has, at most: a speed is only a volunteer's word. */
const TIMES_USUAL = 8;
/** Steps, at most, for a volunteer without measurements. */
const USUAL_STEPS = 30;

/** The state of a run on a clock: its round's length, measurements, and the inner optimiser. */
export interface Paced {
  readonly round: number;
  readonly timings: readonly Timing[];
  readonly inner: InnerName;
}

/** How long the next round is; `deltas` is how many a version has lately. */
export function roundAfter(
  rules: RoundRules,
  { round: before, timings, inner: chosen }: Paced,
  deltas: number,
): number {
  const inner = rules.inner ?? chosen;
  const wanted = Math.max(
    LONE_ROUND_MS[inner] / Math.sqrt(Math.sqrt(Math.max(1, deltas))),
    (middleOf(timings, "linkMs") * coarseness(rules)) / LINK_PART,
    MIN_STEPS * batchFor(rules, inner, deltas) * middleOf(timings, "sequenceMs"),
  );
  const near = Math.max(before / MAX_CHANGE, Math.min(before * MAX_CHANGE, wanted));
  return Math.round(Math.max(MIN_ROUND_MS, Math.min(MAX_ROUND_MS, near)));
}

/**
 * Sequences of a micro-batch where a version has this many deltas. Smaller ones make more steps of the same time, and
 * noise that many volunteers average out (docs/LEARNING.md).
 */
export function batchFor(
  { batch, most, muonCrowds }: Pick<RoundRules, "batch" | "most" | "muonCrowds">,
  inner: InnerName,
  deltas: number,
): number {
  if (batch !== undefined) return batch;
  const isCrowd = deltas >= CROWD_FROM;
  const adamw = isCrowd ? 2 : 1;
  const muon = isCrowd && muonCrowds ? 4 : deltas < 2 ? 1 : 2;
  return Math.max(1, Math.floor(most[inner] / (inner === "adamw" ? adamw : muon)));
}

/**
 * Muon inside learns more from a sequence, but its steps want larger batches: where the mean of many has no momentum, small
 * steps of AdamW's are faster. Once changed, it takes some more or some fewer volunteers to change back.
 */
export function innerAfter(
  { muonCrowds }: Pick<RoundRules, "muonCrowds">,
  before: InnerName,
  deltas: number,
): InnerName {
  if (muonCrowds) return "muon";
  return deltas < (before === "muon" ? ADAMW_FROM : MUON_UP_TO) ? "muon" : "adamw";
}

/** Bytes of a delta that is sent the coarsest way, as a part of the finest. */
const coarseness = ({ sendings: [finest, ...coarser] }: Pick<RoundRules, "sendings">): number =>
  (coarser.at(-1) ?? finest).bytes / finest.bytes;

/**
 * The finest way whose upload takes {@link LINK_PART} of the round at most, failing all the coarsest. A link that nothing is
 * known of is taken for the one in the middle.
 */
export function sendingFor(
  { sendings }: Pick<RoundRules, "sendings">,
  { uplink }: Pace,
  timings: readonly Timing[],
  ms: number,
): Sending {
  const [finest] = sendings;
  const finestMs = uplink === undefined ? middleOf(timings, "linkMs") : (1_000 * finest.bytes) / uplink;
  const fits = ({ bytes }: Sending) => (finestMs * bytes) / finest.bytes <= LINK_PART * ms;
  return sendings.find(fits) ?? sendings.at(-1) ?? finest;
}

/** How long a volunteer that asks at `now` is to train, or that it had better wait until then for the next version. */
export type Slot = { readonly trainFor: number } | { readonly until: number };

/**
 * A ticket's time, on the run clock: until the open version's round ends, less what the volunteer's upload takes. Where
 * hardly any is left, it waits for the next version. If it has not `sent` for this one, and no delta waits or is expected by
 * which it `closes`, or if its link takes most of a round, it trains until the end of the next round, at once.
 */
export function slotOf(
  { opened, ms }: { readonly opened: number; readonly ms: number },
  deltaBytes: number,
  { uplink }: Pace,
  { sent, closes }: { readonly sent: boolean; readonly closes: boolean },
  now: number,
): Slot {
  const isOpen = now < opened + ms;
  const end = isOpen ? opened + ms : now + ms; // no delta came for a whole round: it starts over
  const link = uplink === undefined ? USUAL_LINK * ms : (1_000 * deltaBytes) / uplink;
  const whole = ms - link - SLACK * ms;
  const left = whole - (ms - (end - now));
  if (left >= (closes && !sent ? WORTH_FIRST : WORTH) * ms) return { trainFor: Math.round(left) };
  if (isOpen && (sent || (closes && whole >= WORTH * ms))) return { until: end + Math.round(WORTH * ms) };
  return { trainFor: Math.round(Math.max(WORTH * ms, left + ms)) };
}

/** Inner steps of a ticket, at most: what is expected of its volunteer in that time, and half as many more. */
export function stepsWithin(
  { context, steps }: Pick<RoundRules, "context" | "steps">,
  { speed }: Pace,
  timings: readonly Timing[],
  trainFor: number,
  batch: number,
): number {
  if (steps !== undefined) return steps;
  const usualMs = middleOf(timings, "sequenceMs") * batch;
  const most = usualMs > 0 ? Math.min(MAX_STEPS, (TIMES_USUAL * trainFor) / usualMs) : USUAL_STEPS;
  const expected =
    speed === undefined ? USUAL_STEPS : (HEADROOM * speed * trainFor) / 1_000 / (batch * context);
  return Math.max(2, Math.ceil(Math.min(most, expected)));
}

/** The median of the measurements; 0 where there are none. */
const middleOf = (timings: readonly Timing[], what: keyof Timing): number =>
  medianOf(timings.map((timing) => timing[what])) ?? 0;

/**
 * When a version on a clock closes, whose deltas came at these times: when its round is over, or as soon as all that were
 * made for it are there. What comes later is of the next version.
 */
export function roundEnds(
  { opened, ms }: { readonly opened: number; readonly ms: number },
  came: Pick<ReadonlyList<number>, "at" | "length">,
  { least, complete }: { readonly least: number; readonly complete: boolean },
): number {
  const [first, last] = [came.at(0), came.at(-1)];
  if (first === undefined || last === undefined) return Number.POSITIVE_INFINITY;
  if (complete && came.length >= least) return last;
  const end = Math.max(opened + ms, first > opened + ms ? first + GATHER * ms : 0);
  return Math.max(end, came.at(least - 1) ?? opened + QUORUM_ROUNDS * ms);
}
