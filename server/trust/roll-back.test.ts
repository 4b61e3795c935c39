import { expect, test } from "vitest";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { verdictOf, verdictOfOdd } from "./audit.ts";
import type { Candidate } from "./candidate.ts";
import { planOf } from "./plan.ts";
import {
  addStrike,
  merged,
  NO_TRUST,
  recordPass,
  resetSince,
  standingOf,
  type Trust,
  trusted,
} from "./standing.ts";
import { byTrust, clipFor } from "./weigh.ts";

const key = (name: string) => name as VolunteerKey;
const NONE = "none" as TicketId;
const VERSION = 10;
const delta = (ticket: string, size = 1): Candidate => ({
  ticket: ticket as TicketId,
  volunteer: key(ticket),
  version: VERSION,
  tokens: 100,
  at: 0,
  facts: { size },
});

/** Three honest volunteers that are trusted and had a part in version 9. */
function trusting(): Trust {
  let trust: Trust = { ...NO_TRUST, usual: { ...NO_TRUST.usual, sizes: [{ version: 1, value: 1 }] } };
  for (const name of ["a", "b", "c"]) {
    trust = merged(recordPass(trust, key(name), NONE, 3), key(name), 9);
  }
  return trust;
}

const shareOf = (trust: Trust, pool: readonly Candidate[], names: readonly string[]): number => {
  const { merged: weights } = byTrust(pool, VERSION, trust, 1_000);
  const all = weights.reduce((sum, { weight }) => sum + weight, 0);
  const theirs = weights.filter(({ ticket }) => names.includes(ticket));
  return all === 0 ? 0 : theirs.reduce((sum, { weight }) => sum + weight, 0) / all;
};

test("A25: after a provoked roll-back garbage under fresh keys waits as before; were nobody about, the control, it would weigh as much as honest work", () => {
  const garbage = ["new 1", "new 2", "new 3"];
  const pool = [...["a", "b", "c"], ...garbage].map((name) => delta(name));
  const before = trusting();
  expect(shareOf(before, pool, garbage)).toBe(0);
  const after = resetSince(before, 8);
  expect(trusted(standingOf(after, key("a")))).toBe(false);
  expect(shareOf(after, pool, garbage)).toBe(0);
  const forgotten = new Map(
    [...after.standings].map(([name, standing]) => [name, { ...standing, lapsed: false }]),
  );
  expect(shareOf({ ...after, standings: forgotten }, pool, garbage)).toBeCloseTo(1 / 2, 9);
  // Provoked once more, before anybody was audited: the same.
  expect(shareOf(resetSince(after, 8), pool, garbage)).toBe(0);
  // Honest work that an audit finds good goes on at once, and alone.
  const audited = recordPass(after, key("a"), NONE, VERSION);
  expect(byTrust(pool, VERSION, audited, 1_000).merged.map(({ ticket }) => ticket)).toEqual(["a"]);
});

test("A25: a roll-back takes back audits passed since, also of who had nothing merged; those passed before stay", () => {
  const late = recordPass(trusting(), key("late"), NONE, 9);
  const early = recordPass(late, key("early"), NONE, 8);
  const after = resetSince(early, 8);
  expect(trusted(standingOf(after, key("late")))).toBe(false);
  expect(trusted(standingOf(after, key("early")))).toBe(true);
});

test("A25: who is found bad after a roll-back keeps nobody's deltas waiting", () => {
  const after = resetSince(trusting(), 8);
  const struck = ["a", "b", "c"].reduce((trust, name) => addStrike(trust, key(name), 0), after);
  expect(shareOf(struck, [delta("new 1")], ["new 1"])).toBe(1);
});

test("A21: an odd-sized delta is audited as it is merged, and good only where it surely helps gate text", () => {
  expect(clipFor(delta("odd", 6), [], trusting())).toBeCloseTo(1 / 4, 9);
  expect(clipFor(delta("usual", 1.4), [], trusting())).toBe(1);
  const evidence = (gateGain: number, error = 0.01) => ({
    assigned: { before: 3, after: 2.5, error: 0.01 },
    gate: { before: 3, after: 3 - gateGain, error },
  });
  expect(verdictOfOdd(evidence(0.1), 5, NO_TRUST).verdict).toBe("good");
  for (const gain of [-0.1, 0, 0.005]) {
    expect(verdictOfOdd(evidence(gain), 5, NO_TRUST)).toEqual({ verdict: "unclear", reason: "harm" });
    expect(verdictOf(evidence(gain), 5, NO_TRUST).verdict).toBe("good"); // the control: of a usual size
  }
  const recomputed = { ...evidence(-0.1), distance: 0, length: 1 };
  expect(verdictOfOdd(recomputed, 5, NO_TRUST)).toMatchObject({ verdict: "good", reason: "recomputed" });
});

test("A14: a delta that opposes the server's own direction is good only where it surely helps gate text; one that does not, the control, may do harm within the bound", () => {
  const found = (agreement: number) => {
    const sent = { ...delta("guarded"), facts: { size: 1, agreement } };
    const { odd } = planOf(sent, false, [], trusting());
    const guarded = {
      assigned: { before: 3, after: 2.9, error: 0.01 },
      gate: { before: 3, after: 3.2, error: 0.01 },
    };
    return (odd ? verdictOfOdd : verdictOf)(guarded, 5, NO_TRUST).verdict;
  };
  expect(found(-0.11)).toBe("unclear");
  expect(found(-0.09)).toBe("good");
});

test("A22: newcomers alone in a version count together for a twentieth of one while somebody trusted is about, and move the model by as much; later, the control, by all of it", () => {
  const pool = [delta("new 1"), delta("new 2", 6)];
  const about = merged(trusting(), key("a"), VERSION);
  const movedBy = (trust: Trust, now: number) => {
    const { merged: weights, total } = byTrust(pool, VERSION, trust, now);
    const sum = weights.reduce((all, { weight }) => all + weight, 0);
    return { moved: sum / (total ?? sum), tokens: weights.map(({ tokens }) => tokens) };
  };
  // One is clipped to a quarter of its size: the mean of the two is 5/8, and their weights are 5/4 of one.
  expect(movedBy(about, 20_000).moved).toBeCloseTo((1 / 20) * (5 / 8 / (5 / 4)), 9);
  expect(movedBy(about, 20_000).tokens).toEqual([4, 4]);
  const left = merged(NO_TRUST, key("a"), 1);
  expect(movedBy({ ...left, usual: about.usual }, 0).moved).toBeCloseTo((1 + 1 / 4) / 2, 9);
});
