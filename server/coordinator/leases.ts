import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { MAX_TURN_MS } from "../../protocol/limits.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import { AgedMap } from "../lib/aged-map.ts";
import { admitted, isFreshAt, standingOf, trusted } from "../trust/standing.ts";
import type { Effect, SoftEvent } from "./events.ts";
import { ownBatch } from "./own-batch.ts";
import {
  batchFor,
  CROWD_FROM,
  innerAfter,
  type RoundRules,
  sendingFor,
  slotOf,
  stepsWithin,
} from "./rounds.ts";
import {
  ACTIVE_MS,
  LEASES_EACH,
  MAX_LEASES,
  MAX_SEEN,
  NO_WORK_RETRY_MS,
  PAUSED_RETRY_MS,
  type Rules,
} from "./rules.ts";
import type { Soft, State } from "./state.ts";
import { expectedWithin, heldUntil, MAX_HOLD_MS, QUORUM_SHARE } from "./version-deadline.ts";

/** Versions by which is known how many are at work. */
const LATELY = 4;

/** Volunteers that hold a ticket, or asked or sent something in the last minute. */
export function activeAt({ soft }: State, now: number): number {
  const active = new Set<VolunteerKey>();
  for (const [volunteer, at] of soft.seen) if (now - at <= ACTIVE_MS) active.add(volunteer);
  for (const lease of soft.leases.values()) if (lease.expires > now) active.add(lease.volunteer);
  return active.size;
}

/**
 * Volunteers at work on the open version: those whose delta waits, and those from whom one is to be expected,
 * because their ticket is not older than deltas take lately. A page that was closed holds its
 * lease for long after, and a quorum that counted it would never come together.
 */
export function workingAt(state: State, leaseMs: number, now: number): number {
  const { soft, took, pool } = state;
  const patience = took.length === 0 ? leaseMs : expectedWithin(took, usuallyWorking(state));
  const working = new Set(pool.map(({ volunteer }) => volunteer));
  soft.leases.forEach(({ volunteer, expires }) => {
    if (now - (expires - leaseMs) <= patience) working.add(volunteer);
  });
  return working.size;
}

/** Volunteers usually at work on a version, by the deltas of the newest few; 1 before there are any. */
export function usuallyWorking({ versions }: State): number {
  return versions.length === 0 ? 1 : Math.max(1, deltasLately(versions) / QUORUM_SHARE);
}

/** Deltas of a version, the mean of the newest few; 1 before there are any. */
export function deltasLately(versions: State["versions"]): number {
  const newest = versions.slice(0, LATELY);
  const deltas = newest.reduce((sum, version) => sum + version.deltas, 0);
  return newest.length === 0 ? 1 : deltas / newest.length;
}

/** Tickets whose delta is still to be expected; of a run on a clock. */
export function expectedAt({ soft }: State, now: number): number {
  let expected = 0;
  soft.leases.forEach(({ due }) => {
    if (due !== undefined && due > now) expected++;
  });
  return expected;
}

/** A part of the work of a ticket, in steps and in time. */
const shortened = ({ steps, trainFor, ...work }: Work, part = 1): Work => ({
  ...{ ...work, steps: Math.ceil(part * steps) },
  ...(trainFor !== undefined && { trainFor: Math.ceil(part * trainFor) }),
});

/** The open version's round. */
export const roundOf = ({ ms }: RoundRules, { publishedAt, round }: State) => ({
  opened: publishedAt,
  ms: ms ?? round,
});

/** A ticket's size and lease; or the time of the run clock until which the request had better wait. */
type Share = Work | { readonly until: number };
type Work = Pick<TicketTerms, "steps" | "batch" | "trainFor" | "inner" | "delta">;

function shareOf(rules: Rules, state: State, asked: Asked, now: number): Share {
  const { rounds } = rules;
  if (rounds === undefined) {
    const until = holdOf(rules, state, asked, now);
    if (until !== undefined) return { until };
    const steps = rules.steps(asked.pace, usuallyWorking(state), hasWaited(state, asked, now));
    return { steps, batch: rules.batch };
  }
  const sent = state.pool.some((delta) => delta.volunteer === asked.volunteer);
  const closes = state.pool.length > 0 || expectedAt(state, now) > 0;
  const round = roundOf(rounds, state);
  const { codec, bytes } = sendingFor(rounds, asked.pace, state.timings, round.ms);
  const slot = slotOf(round, bytes, asked.pace, { sent, closes }, now);
  if ("until" in slot) return slot;
  const { inner, batch: usual } = trainingNow(rounds, state, state.soft.seen.size + 1);
  const batch = ownBatch(rounds, usual, asked.pace, slot.trainFor);
  return {
    ...slot,
    inner,
    batch,
    ...(rounds.sendings.length > 1 && { delta: codec }),
    steps: stepsWithin(rounds, asked.pace, state.timings, slot.trainFor, batch),
  };
}

/**
 * The inner optimiser of tickets and the sequences of their micro-batches. Before the first version `here`, the number of
 * volunteers, decides: AdamW's first steps are for the low rates of a run's beginning, and a crowd that changes to it a round
 * later takes them at the full ones.
 */
export function trainingNow(rounds: RoundRules, state: State, here: number) {
  const isFirst = state.versions.length === 0;
  const deltas = deltasNow(state, here);
  const inner = rounds.inner ?? (isFirst ? innerAfter(rounds, state.inner, deltas) : state.inner);
  return { inner, batch: batchFor(rounds, inner, deltas) };
}

/** Deltas of a version; before there is one, as many as volunteers are `here`. */
const deltasNow = ({ versions }: State, here: number): number =>
  versions.length === 0 ? here : deltasLately(versions);

/** A volunteer that asks for work; see the event. */
type Asked = Omit<Extract<SoftEvent, { type: "asked" }>, "type">;

/**
 * The time of the run clock until which a volunteer had better wait before it asks again: it has sent a delta for the
 * open version, and others are at work on that; or as many are as may be. Undefined: its turn has come.
 */
function holdOf(rules: Rules, state: State, { volunteer, since }: Asked, now: number): number | undefined {
  const working = workingAt(state, rules.leaseMs, now);
  const sent = state.pool.findLast((delta) => delta.volunteer === volunteer);
  if (sent === undefined) {
    const turn = since + MAX_TURN_MS;
    // It looks again before that: those at work may all have left.
    return now < turn && working >= rules.crowd ? Math.min(turn, now + MAX_HOLD_MS) : undefined;
  }
  const expected = expectedWithin(state.took, usuallyWorking(state));
  const until = Math.min(heldUntil(state.publishedAt, sent.at, expected), since + MAX_HOLD_MS);
  return now < until && working >= rules.quorum ? until : undefined;
}

/** Whether the asking volunteer has waited for its turn for longer than the newest version took: more would work than may. */
function hasWaited({ versions: [newest] }: State, { since }: Asked, now: number): boolean {
  return newest !== undefined && Number.isFinite(since) && now - since > newest.ms;
}

/** Answers a volunteer that asks for work. */
export function lease(
  rules: Rules,
  state: State,
  asked: Asked,
  now: number,
): { state: State; effect: Effect } {
  const refuse = (
    code: "run-paused" | "run-finished" | "no-work" | "quarantined" | "banned",
    retryAfterMs?: number,
  ) => ({
    state,
    effect: { type: "refuse", code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } as const,
  });
  if (state.phase === "finished") return refuse("run-finished");
  if (state.phase === "paused") return refuse("run-paused", PAUSED_RETRY_MS);
  const standing = standingOf(state.trust, asked.volunteer);
  if (standing.banned) return refuse("banned", PAUSED_RETRY_MS);
  if (!admitted(standing, now)) return refuse("quarantined", Math.max(PAUSED_RETRY_MS, standing.until - now));
  const soft = releaseOldest(expire(state.soft, now), asked.volunteer);
  // Half of all leases are there for the trusted alone: strangers' new keys could hold the rest and do nothing.
  const most = trusted(standing) ? MAX_LEASES : MAX_LEASES / 2;
  if (rules.ranges.epochLength === 0 || soft.leases.size >= most) {
    return refuse("no-work", NO_WORK_RETRY_MS);
  }
  const whole = shareOf(rules, state, asked, now);
  if ("until" in whole) return { state, effect: { type: "hold", until: whole.until } };
  const position = soft.queue[0] ?? soft.next;
  // An answer to a fresh ticket is owed until it comes: a volunteer that asks again, lets the lease end or waits for a
  // restart gets another one.
  const fresh = trusted(standing) && (!soft.paid.has(asked.volunteer) || isFreshAt(position));
  const share = fresh ? shortened(whole, rules.freshPart) : whole;
  const due = rules.rounds &&
    share.trainFor !== undefined && { due: now + share.trainFor + roundOf(rules.rounds, state).ms };
  const held = { volunteer: asked.volunteer, position, fresh, expires: now + rules.leaseMs, ...due };
  const leases = AgedMap.of(soft.leases).with(asked.ticket, held);
  const isCrowd = deltasNow(state, state.soft.seen.size + 1) >= CROWD_FROM;
  const inSteps = rules.rounds?.warmUpInSteps && (isCrowd || share.inner === "muon");
  const terms: TicketTerms = {
    run: rules.run,
    id: asked.ticket,
    volunteer: asked.volunteer,
    version: state.version,
    hash: state.hash,
    ...rules.ranges.at(position),
    seed: rules.ranges.seedOf(position),
    ...share,
    rates: rules.rates(state.tokens, share.steps, share.batch, share.inner, inSteps),
    fresh,
    lease: rules.leaseMs,
    issued: now,
  };
  return {
    state: {
      ...state,
      soft: {
        leases,
        queue: soft.queue.slice(1),
        next: Math.max(soft.next, position + 1),
        seen: young(soft.seen, asked.volunteer, now),
        paid: fresh ? without(soft.paid, [asked.volunteer]) : soft.paid,
      },
    },
    effect: { type: "lease", terms },
  };
}

/** Puts the ranges of expired leases to the front of the queue and forgets volunteers long gone. */
export function expire(soft: Soft, now: number): Soft {
  const expired = takeWhile(soft.leases, (held) => held.expires <= now);
  const gone = takeWhile(soft.seen, (at) => now - at > ACTIVE_MS);
  if (expired.length === 0 && gone.length === 0) return soft;
  return {
    ...release(
      soft,
      expired.map(([ticket]) => ticket),
    ),
    seen: without(
      soft.seen,
      gone.map(([volunteer]) => volunteer),
    ),
  };
}

/**
 * The soft state once a ticket's delta is accepted: its range is done, and its owner was here. A ticket from
 * before a restart may lie beyond what this process gave out: what it skips is queued.
 */
export function settle(
  soft: Soft,
  done: { readonly ticket: TicketId; readonly volunteer: VolunteerKey; readonly position: number },
  now: number,
): Soft {
  const skipped = Array.from({ length: Math.max(0, done.position - soft.next) }, (_, i) => soft.next + i);
  const { fresh = false } = soft.leases.get(done.ticket) ?? {};
  return {
    leases: soft.leases.has(done.ticket) ? without(soft.leases, [done.ticket]) : soft.leases,
    queue: [...soft.queue.filter((position) => position !== done.position), ...skipped],
    next: Math.max(soft.next, done.position + 1),
    seen: young(soft.seen, done.volunteer, now),
    paid: fresh ? young(soft.paid, done.volunteer, true) : soft.paid,
  };
}

/** A volunteer that asks again and again holds on to its newest tickets only. */
function releaseOldest(soft: Soft, volunteer: VolunteerKey): Soft {
  const own: TicketId[] = [];
  soft.leases.forEach((held, ticket) => {
    if (held.volunteer === volunteer) own.push(ticket);
  });
  return own.length < LEASES_EACH ? soft : release(soft, own.slice(0, own.length - LEASES_EACH + 1));
}

function release(soft: Soft, tickets: readonly TicketId[]): Soft {
  const positions = tickets.flatMap((ticket) => soft.leases.get(ticket)?.position ?? []);
  return { ...soft, leases: without(soft.leases, tickets), queue: [...positions, ...soft.queue] };
}

/** Moves a volunteer to the young end; beyond the bound the oldest is forgotten. */
function young<V>(known: ReadonlyMap<VolunteerKey, V>, volunteer: VolunteerKey, value: V) {
  const next = AgedMap.of(known).with(volunteer, value);
  return next.size > MAX_SEEN ? next.without([next.keys().next().value ?? volunteer]) : next;
}

const without = <K, V>(map: ReadonlyMap<K, V>, keys: readonly K[]): ReadonlyMap<K, V> =>
  AgedMap.of(map).without(keys);

/** The entries before the first one that does not hold; maps here are ordered by age. */
function takeWhile<K, V>(map: ReadonlyMap<K, V>, holds: (value: V) => boolean): [K, V][] {
  const taken: [K, V][] = [];
  for (const entry of map) {
    if (!holds(entry[1])) break;
    taken.push(entry);
  }
  return taken;
}
