import type { MergedEntry } from "../../protocol/history.ts";
import { AgedMap } from "../lib/aged-map.ts";
import { AppendList } from "../lib/append-list.ts";
import {
  addStrike,
  applyRuling,
  merged as mergedInto,
  recordPass,
  resetSince,
  seen,
  standingOf,
  trusted,
  weighed,
} from "../trust/standing.ts";
import { knowsGains, withGain, withSize } from "../trust/usual.ts";
import { contradiction } from "./contradiction.ts";
import { due } from "./due.ts";
import { effortOf } from "./effort.ts";
import { type Change, evaluate } from "./evaluated.ts";
import type {
  Accepted,
  Audited,
  Closed,
  Created,
  DurableEvent,
  Effect,
  Event,
  Published,
  RolledBack,
  Ruled,
  Sampled,
  Settled,
  StateChanged,
} from "./events.ts";
import { deltasLately, expire, lease, settle } from "./leases.ts";
import { type Outcome, outcomesOf } from "./outcomes.ts";
import { innerAfter, roundAfter } from "./rounds.ts";
import { ACTIVE_MS, MAX_STALENESS, type Rules } from "./rules.ts";
import { cosineOf, lengthsOf } from "./similarity.ts";
import type { Pooled, State } from "./state.ts";
import { addText } from "./texts.ts";
import { doneOf, withTiming } from "./timing.ts";

/** Versions shown, the newest, and counted of how rounds go. */
const MAX_VERSIONS = 20;
/** Deltas whose time sets the deadline. */
const TIMED_DELTAS = 32;

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
  /** Deltas whose outcome the event decided. */
  readonly ended: readonly Outcome[];
}

/**
 * The run's core: applies an event to the state, and returns the effects that the shell must carry out. Pure: the same
 * state, event and `now` (the run clock) give the same result, so a journal replays to the same state. Throws on a
 * durable event that contradicts the state, which no shell writes and no sound journal holds.
 */
export function reduce(rules: Rules, state: State, event: Exclude<Event, Created>, now: number): Step {
  if (event.type === "asked") {
    const answer = lease(rules, state, event, now);
    return { state: answer.state, effects: [answer.effect], ended: [] };
  }
  if (event.type === "tick") {
    const ticked = { ...state, soft: expire(state.soft, now) };
    return { state: ticked, effects: due(rules, ticked, now), ended: [] };
  }
  const ended = outcomesOf(state, event);
  const { state: changed, effects = [], quiet } = change(rules, state, event, now);
  const next = without(changed, ended);
  return { state: next, effects: quiet ? effects : [...effects, ...due(rules, next, now)], ended };
}

function change(rules: Rules, state: State, event: Exclude<DurableEvent, Created>, now: number): Change {
  switch (event.type) {
    case "accepted":
      return { state: accept(rules, state, event, now) };
    case "closed":
      return { state: close(state, event) };
    case "published":
      return publish(rules, state, event);
    case "evaluated":
      return evaluate(rules, state, event);
    case "audited":
      return { state: audit(state, event) };
    case "settled":
      return { state: settleAudit(state, event) };
    case "sampled":
      return { state: sampled(state, event) };
    case "rolled-back":
      return rollBack(state, event);
    case "ruled":
      return { state: rule(state, event) };
    case "state":
      return changePhase(state, event);
    case "text-added":
      return { state: addText(state, event) };
  }
}

/** The state without the deltas that have come to their end, which are counted. */
function without(state: State, ended: readonly Outcome[]): State {
  if (ended.length === 0) return state;
  const gone = new Set(ended.map(({ ticket }) => ticket));
  const discarded = ended.filter(({ version }) => version === null).length;
  return {
    ...state,
    pool: state.pool.filter(({ ticket }) => !gone.has(ticket)),
    discarded: state.discarded + discarded,
    merged: state.merged + ended.length - discarded,
  };
}

function accept(rules: Rules, state: State, event: Accepted, now: number): State {
  if (state.used.has(event.ticket)) throw contradiction(event, "its ticket was used before");
  if (event.version > state.version) throw contradiction(event, "its version is not published");
  const { ticket, volunteer, delta, version, tokens, at, position, facts } = event;
  const clocked = event.asked && { inner: event.asked.inner, done: doneOf(event, event.asked) };
  const pooled = { ticket, volunteer, delta, version, tokens, at, ...(facts && { facts }), ...clocked };
  let gaps = AgedMap.of(state.gaps).without([position]);
  for (let skipped = state.frontier; skipped < position; skipped++) gaps = gaps.with(skipped, true);
  return {
    ...state,
    at: Math.max(state.at, at), // another server's clock may be a little behind
    pool: AppendList.of(state.pool).with(pooled),
    used: AgedMap.of(state.used).with(ticket, version),
    frontier: Math.max(state.frontier, position + 1),
    gaps,
    ...(event.refused === undefined && {
      took: [...state.took.slice(1 - TIMED_DELTAS), event.took],
      timings: withTiming(state.timings, event, rules, trusted(standingOf(state.trust, volunteer))),
    }),
    trust: {
      ...seen(state.trust, volunteer, ticket),
      ...(facts && { usual: withSize(state.trust.usual, state.version, facts) }),
    },
    soft: settle(state.soft, event, now),
  };
}

function close(state: State, event: Closed): State {
  if (event.version !== state.version || state.closing !== undefined) {
    throw contradiction(event, "that version is not open");
  }
  const pooled = new Map(state.pool.map((delta) => [delta.ticket, delta]));
  let tokens = 0;
  const entries: MergedEntry[] = [];
  const merged: Pooled[] = [];
  for (const { ticket, weight, tokens: counted } of event.merged) {
    const pool = pooled.get(ticket);
    if (pool === undefined || !pooled.delete(ticket)) throw contradiction(event, `${ticket} does not wait`);
    tokens += counted ?? pool.tokens;
    merged.push(pool);
    entries.push({ ticket, volunteer: pool.volunteer, delta: pool.delta, weight });
  }
  for (const ticket of event.discarded ?? []) {
    if (!pooled.has(ticket)) throw contradiction(event, `${ticket} does not wait`);
  }
  const effort = effortOf(merged, event.version);
  const lengths = lengthsOf(merged, event);
  return {
    ...state,
    at: event.at,
    pool: [...pooled.values()],
    closing: { event, tokens, entries, ...(effort && { effort }), ...(lengths && { lengths }) },
  };
}

function publish(rules: Rules, state: State, event: Published): Change {
  const { closing } = state;
  if (closing === undefined || event.version !== state.version + 1) {
    throw contradiction(event, "the version before it is not closed");
  }
  const { version, hash, at, diffBytes } = event;
  const summary = {
    version,
    hash,
    diffBytes,
    deltas: closing.event.merged.length,
    tokens: closing.tokens,
    ms: at - state.publishedAt,
  };
  const tokens = state.tokens + closing.tokens;
  let { trust } = state;
  for (const { volunteer } of closing.entries) trust = mergedInto(trust, volunteer, version);
  const versions = [summary, ...state.versions.slice(0, MAX_VERSIONS - 1)];
  const deltas = deltasLately(versions);
  const cosine = closing.lengths && cosineOf(closing.lengths, event.norm);
  const effort = closing.effort && {
    ...closing.effort,
    ms: summary.ms,
    ...(cosine !== undefined && { cosine }),
  };
  const inner = rules.rounds && innerAfter(rules.rounds, state.inner, deltas);
  const next: State = {
    ...state,
    at,
    version,
    hash,
    record: event.record,
    publishedAt: at,
    tokens,
    closing: undefined,
    trust,
    used: new Map([...state.used].filter(([, from]) => from >= version - MAX_STALENESS)),
    versions,
    ...(effort && { efforts: [effort, ...state.efforts.slice(0, MAX_VERSIONS - 1)] }),
    ...(rules.rounds && inner && { round: roundAfter(rules.rounds, { ...state, inner }, deltas), inner }),
    recent: [...state.recent.filter((merge) => at - merge.at <= ACTIVE_MS), { at, tokens: closing.tokens }],
  };
  return {
    state: next,
    effects: [
      { type: "announce", event: { type: "version", ...summary } },
      { type: "evaluate", version, tokens },
    ],
  };
}

function audit(state: State, event: Audited): State {
  const { at, ticket, volunteer, verdict, gain } = event;
  if (verdict === "unclear") return { ...state, at };
  if (verdict === "good") {
    const pool = state.pool.map((delta) => (delta.ticket === ticket ? { ...delta, proven: true } : delta));
    const trust = recordPass(state.trust, volunteer, ticket, state.version);
    // What new keys gain is no measure, once there is one: garbage that passed by chance would have more of it pass.
    const counts = !knowsGains(trust.usual) || trusted(standingOf(state.trust, volunteer));
    const usual = gain !== undefined && counts ? withGain(trust.usual, state.version, gain) : trust.usual;
    return { ...state, at, pool, trust: { ...trust, usual } };
  }
  return { ...state, at, trust: addStrike(state.trust, volunteer, at) };
}

/** An auditor that measured wrong gets a strike, as the sender of a bad delta does. */
function settleAudit(state: State, { at, wrong }: Settled): State {
  const trust = wrong.reduce((before, volunteer) => addStrike(before, volunteer, at), state.trust);
  return { ...state, at, trust };
}

const sampled = (state: State, { at, version, effects }: Sampled): State => ({
  ...state,
  at,
  trust: weighed(state.trust, version, effects, version < state.floor),
});

const rule = (state: State, { at, volunteer, ruling }: Ruled): State => ({
  ...state,
  at,
  trust: applyRuling(state.trust, volunteer, ruling === "banned"),
});

function rollBack(state: State, event: RolledBack): Change {
  const { at, version, to, hash, record } = event;
  if (version !== state.version + 1 || to >= version) throw contradiction(event, "it leads nowhere");
  const summary = { version, hash, deltas: 0, tokens: 0, ms: at - state.publishedAt, diffBytes: 0 };
  const next: State = {
    ...state,
    at,
    version,
    hash,
    record,
    publishedAt: at,
    floor: version,
    closing: undefined,
    trust: resetSince(state.trust, to),
    // Measurements of the versions taken back say nothing about those to come.
    heldOut: state.heldOut.filter((point) => point.version <= to),
    versions: [summary, ...state.versions.slice(0, MAX_VERSIONS - 1)],
  };
  return {
    state: next,
    effects: [
      { type: "announce", event: { type: "version", ...summary } },
      { type: "evaluate", version, tokens: state.tokens },
    ],
  };
}

function changePhase(state: State, event: StateChanged): Change {
  // A finished run stays finished.
  const phase = state.phase === "finished" ? "finished" : event.state;
  return {
    state: { ...state, at: event.at, phase },
    effects: [{ type: "announce", event: { type: "state", state: phase } }],
  };
}
