import { effectiveCount } from "../merge/outer.ts";
import type { Closed, Effect } from "./events.ts";
import { expectedAt, roundOf, usuallyWorking, workingAt } from "./leases.ts";
import { CROWD_FROM, type RoundRules, roundEnds } from "./rounds.ts";
import type { Rules } from "./rules.ts";
import type { State } from "./state.ts";
import { textDue } from "./texts.ts";
import { closesAt } from "./version-deadline.ts";

/** The effects that the state calls for, again and again until they are done: a failed write only delays them. */
export function due(rules: Rules, state: State, now: number): Effect[] {
  // A closed version is merged, whatever came after: its deltas have no other outcome.
  if (state.closing !== undefined) return [{ type: "merge", closed: state.closing.event }];
  if (state.phase === "finished") return [];
  if (state.tokens >= rules.tokenBudget) {
    return [{ type: "record", event: { type: "state", at: now, state: "finished" } }];
  }
  const text = textDue(rules, state, now);
  if (text !== undefined) return [{ type: "record", event: text }];
  if (state.phase === "paused" || state.pool.length === 0) return [];
  const ends = endOf(rules, state, now);
  const isDue = (deltas: State["pool"]) => now >= ends(deltas);
  if (!isDue(state.pool)) return [];
  const { merged, discarded, total } = rules.weigh(state.pool, state.version, state.trust, now);
  // Only what counts makes a quorum or a deadline: suspects would hurry every version. Of nothing is none made.
  const counted = new Set(merged.map(({ ticket }) => ticket));
  if (!isDue(state.pool.filter(({ ticket }) => counted.has(ticket)))) return [];
  const inner = mostlyMuon(state.pool, merged) && ({ inner: "muon" } as const);
  const crowd = inner && rules.rounds?.muonCrowds && crowdOf(rules.rounds, merged);
  const over = total === undefined ? {} : { total };
  const closed: Closed = {
    type: "closed",
    at: now,
    version: state.version,
    merged,
    ...over,
    ...inner,
    ...(crowd ? { crowd } : {}),
  };
  return [{ type: "record", event: discarded.length === 0 ? closed : { ...closed, discarded } }];
}

/** When the open version closes by these deltas. */
function endOf(rules: Rules, state: State, now: number): (deltas: State["pool"]) => number {
  // Not a list of all the times: this is asked at every delta.
  const timesOf = (deltas: State["pool"]) => ({ length: deltas.length, at: (i: number) => deltas.at(i)?.at });
  const { rounds, quorum: least } = rules;
  if (rounds !== undefined) {
    const expected = expectedAt(state, now);
    return (deltas) => {
      // Deltas late for the version before make none by themselves: those at work on this one are about to begin.
      const complete = expected === 0 && deltas.some(({ version }) => version === state.version);
      return roundEnds(roundOf(rounds, state), timesOf(deltas), { least, complete });
    };
  }
  const working = workingAt(state, rules.leaseMs, now);
  const crowd = { least, working, usual: usuallyWorking(state) };
  return (deltas) => closesAt({ opened: state.publishedAt, came: timesOf(deltas), took: state.took }, crowd);
}

/**
 * What a crowd's deltas count for at least, where some weigh less than others: eight of machines whose speeds lie evenly over a
 * factor of ten count for 6.3. New keys weigh next to nothing, and would make a crowd of one volunteer.
 */
const MIN_EFFECTIVE = 6;

/** What deltas count for up to which they have nothing of a crowd, and from which they are one, where that grows. */
const [GROWS_FROM, GROWN_AT] = [3, 8];

/** How far the deltas are a crowd's: altogether, or in part, to a hundredth. */
function crowdOf({ crowdGrows }: Pick<RoundRules, "crowdGrows">, merged: Closed["merged"]): true | number {
  const count = effectiveCount(merged.map(({ weight }) => weight));
  if (!crowdGrows) return merged.length >= CROWD_FROM && count >= MIN_EFFECTIVE ? true : 0;
  const part = Math.round((100 * (count - GROWS_FROM)) / (GROWN_AT - GROWS_FROM)) / 100;
  return part >= 1 || Math.max(0, part);
}

/** Whether more than half of what is merged, by weight, was trained with Muon inside. */
function mostlyMuon(pool: State["pool"], merged: Closed["merged"]): boolean {
  const muon = new Set(pool.flatMap(({ ticket, inner }) => (inner === "muon" ? [ticket] : [])));
  const weight = merged.reduce((sum, one) => sum + (muon.has(one.ticket) ? one.weight : -one.weight), 0);
  return weight > 0;
}
