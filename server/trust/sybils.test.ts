import { describe, expect, test } from "vitest";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { lookInto, verdictOf } from "./audit.ts";
import { Budget, type Look, purseOf } from "./budget.ts";
import type { Candidate } from "./candidate.ts";
import { planOf } from "./plan.ts";
import { merged, NO_TRUST, recordPass, resetSince, seen, type Trust } from "./standing.ts";
import { NOTHING_USUAL, withGain } from "./usual.ts";
import { byTrust, weighingRule } from "./weigh.ts";

const key = (name: string) => name as VolunteerKey;
const NONE = "none" as TicketId;
const TOKENS = 640;
const delta = (name: string, changes: Partial<Candidate> = {}): Candidate => ({
  ticket: name as TicketId,
  volunteer: key(name),
  version: 0,
  tokens: TOKENS,
  at: 0,
  facts: { size: 1 },
  ...changes,
});
/** So many new keys. */
const keys = (count: number, changes: Partial<Candidate> = {}) =>
  Array.from({ length: count }, (_, i) => delta(`new ${i}`, changes));
/** Volunteers that passed so many audits, and had a part in that version. */
const having = (passed: number, version: number, ...names: readonly string[]): Trust =>
  names.reduce<Trust>((trust, name) => {
    let next = trust;
    for (let n = 0; n < passed; n++) next = recordPass(next, key(name), NONE);
    return merged(next, key(name), version);
  }, NO_TRUST);

const ticketsOf = (pool: readonly Candidate[], version: number, trust: Trust, now: number, audits = 0.08) =>
  weighingRule("default", audits)(pool, version, trust, now).merged.map(({ ticket }) => ticket);
/** Of all tokens that a version counts for, those of one delta. */
function partOf(ticket: string, pool: readonly Candidate[], version: number, trust: Trust, now = 0) {
  const { merged: weights } = byTrust(pool, version, trust, now);
  const counted = new Map<string, number>(weights.map(({ ticket: of, tokens }) => [of, tokens ?? TOKENS]));
  return counted.get(ticket)! / [...counted.values()].reduce((sum, tokens) => sum + tokens, 0);
}

describe("a crowd of new keys with which a run begins (A22)", () => {
  test("A22: it waits 20 s for its audits, within the first four versions; a few, and a run without audits, the control, do not", () => {
    const crowd = keys(5);
    expect(ticketsOf(crowd, 0, NO_TRUST, 19_999)).toEqual([]);
    expect(ticketsOf(crowd, 0, NO_TRUST, 20_000)).toHaveLength(5);
    expect(ticketsOf(keys(4), 0, NO_TRUST, 0)).toHaveLength(4);
    expect(ticketsOf(keys(5, { volunteer: key("one") }), 0, NO_TRUST, 0)).toHaveLength(5);
    expect(ticketsOf(keys(5, { version: 4 }), 4, NO_TRUST, 0)).toHaveLength(5);
    expect(ticketsOf(crowd, 0, NO_TRUST, 0, 0)).toHaveLength(5);
  });

  test("A22: it waits once, and for as long as the first of it; each for itself, the control, one makes the version alone", () => {
    const crowd = [delta("first"), ...keys(5, { at: 15_000 })];
    expect(ticketsOf(crowd, 0, NO_TRUST, 19_999)).toEqual([]);
    expect(ticketsOf(crowd, 0, NO_TRUST, 20_000)).toHaveLength(6);
    // Where somebody trusted was about lately, the control, each of them waits for itself.
    expect(ticketsOf(crowd, 0, having(1, 1, "who left"), 20_000)).toEqual(["first"]);
    const next = keys(5, { version: 1, at: 21_000 });
    const begun = (volunteers: number) =>
      having(0, 1, ...Array.from({ length: volunteers }, (_, i) => `new ${i}`));
    expect(ticketsOf(next, 1, begun(5), 21_000)).toHaveLength(5);
    expect(ticketsOf(next, 1, begun(4), 21_000)).toEqual([]); // a few made the first one, and no crowd has waited
  });

  test("A22: whoever an audit finds good meanwhile makes the version alone; without the wait, the control, nine in ten of it are not", () => {
    const honest = delta("honest", { proven: true });
    expect(ticketsOf([...keys(9), honest], 0, having(1, 0, "honest"), 1_000)).toEqual(["honest"]);
    expect(partOf("honest", [...keys(9), delta("honest")], 0, NO_TRUST, 20_000)).toBeCloseTo(1 / 10, 9);
  });

  test("A22: while nobody is trusted garbage cannot use up the audit of the one who is honest, the first 32 of them; without them, the control, two are made", async () => {
    const cost = ({ batches, own, once }: Look) => batches * 171 + (own ? (once ? 640 : 1_280) : 0);
    const evidence = (gain: number) => {
      const change = { before: 3, after: 3 - gain };
      return { assigned: change, gate: change };
    };
    const trust = { ...NO_TRUST, usual: withGain(NOTHING_USUAL, 0, 0.1) };
    const verdicts = async (surely: boolean) => {
      const budget = new Budget(0.08, 40 * TOKENS);
      const found: (string | undefined)[] = [];
      for (const one of [...keys(31), delta("honest")]) {
        const { whose, first } = planOf(one, false, [], trust);
        expect(first).toBe(true);
        const purse = purseOf(budget, whose, cost, surely && budget.takeFirst());
        const gains = evidence(one.ticket === "honest" ? 0.5 : -0.5);
        found.push(
          (
            await lookInto(
              async () => gains,
              purse,
              (told) => verdictOf(told, 5, trust),
              "lately",
            )
          )?.verdict,
        );
      }
      return { found, more: budget.takeFirst() };
    };
    const { found, more } = await verdicts(true);
    expect(found).toEqual([...Array.from({ length: 31 }, () => "bad"), "good"]);
    expect(more).toBe(false);
    const control = (await verdicts(false)).found;
    expect(control.filter((verdict) => verdict !== undefined)).toHaveLength(2);
    expect(control.at(-1)).toBeUndefined();
  });

  test("once somebody is trusted, or was until a roll-back, no audit is made whatever it costs", () => {
    const trust = having(1, 3, "a");
    expect(planOf(delta("new"), false, [], trust).first).toBeUndefined();
    expect(planOf(delta("new"), false, [], resetSince(trust, 1)).first).toBeUndefined();
    expect(planOf(delta("new"), false, [], NO_TRUST).first).toBe(true);
  });
});

describe("keys of one delta each (A22)", () => {
  const proven = keys(9, { version: 8, proven: true });
  const passed = (trust: Trust): Trust =>
    proven.reduce((before, { volunteer }) => recordPass(before, volunteer, NONE), trust);

  test("A22: those that an audit found good weigh a tenth together beside who passed two; were they known, the control, nine tenths", () => {
    const honest = delta("honest", { version: 8 });
    expect(partOf("honest", [...proven, honest], 8, passed(having(2, 8, "honest")))).toBeCloseTo(0.9, 2);
    const back = passed(passed(having(2, 8, "honest")));
    expect(partOf("honest", [...proven, honest], 8, back)).toBeCloseTo(1 / 10, 9);
  });

  test("A22: alone in a version they count for a tenth of one delta together, while who passed two is about; where nobody did, for all", () => {
    const countOf = (trust: Trust) => {
      const { merged: weights } = byTrust(proven, 8, passed(trust), 0);
      return weights.reduce((sum, { tokens }) => sum + (tokens ?? TOKENS), 0);
    };
    expect(countOf(having(2, 8, "honest")) / TOKENS).toBeCloseTo(0.1, 1);
    expect(countOf(having(2, 6, "honest"))).toBe(9 * TOKENS); // it has left
    expect(countOf(having(1, 8, "honest"))).toBe(9 * TOKENS);
  });

  test("whoever comes back weighs in full: it costs one delta", () => {
    const pool = [delta("honest", { version: 8 }), delta("newer", { version: 8 })];
    const weights = byTrust(pool, 8, recordPass(having(2, 8, "honest"), key("newer"), NONE), 0).merged;
    expect(weights.map(({ weight }) => weight)).toEqual([TOKENS, TOKENS]);
  });
});

describe("one audit stands for eight deltas (A22)", () => {
  const sent = (trust: Trust, name: string, count: number): Trust =>
    keys(count).reduce((before, { ticket }) => seen(before, key(name), ticket), trust);
  const pool = [delta("honest", { version: 8 }), delta("once", { version: 8 })];
  /** What the delta of who passed one audit counts for, so many deltas later. */
  const countOf = (after: number, trust = having(2, 8, "honest"), waiting = pool) => {
    const standing = sent(recordPass(trust, key("once"), NONE), "once", after);
    const one = byTrust(waiting, 8, standing, 0).merged.find(({ ticket }) => ticket === "once");
    return (one?.tokens ?? TOKENS) / TOKENS;
  };

  test("A22: beside who passed two, what is sent after eight without another counts for an eleventh; after seven, the control, in full", () => {
    expect(countOf(8)).toBeCloseTo(1 / 11, 2);
    expect(countOf(7)).toBe(1);
    // Its second audit is passed, though it comes late.
    const again = recordPass(sent(having(1, 8, "once"), "once", 12), key("once"), NONE);
    const both = merged(again, key("once"), 8);
    expect(byTrust(pool.slice(1), 8, both, 0).merged).toEqual([{ ticket: "once", weight: TOKENS }]);
  });

  test("A22: alone in a version it counts for a tenth while who passed two is about; where nobody did, the control, it loses nothing", () => {
    const alone = pool.slice(1);
    expect(countOf(8, having(2, 8, "honest"), alone)).toBeLessThan(0.1);
    expect(countOf(8, having(2, 6, "honest"), alone)).toBe(1); // it has left
    expect(countOf(8, having(1, 8, "honest"))).toBe(1);
  });

  test("A22: in a crowd most of which waits for second audits nobody counts for less; once most passed two, the control, who did not does", () => {
    const crowd = ["a", "b", "c", "d"];
    const once = having(1, 8, ...crowd, "honest");
    const most = crowd.slice(1).reduce((trust, name) => recordPass(trust, key(name), NONE), once);
    expect(countOf(8, recordPass(once, key("a"), NONE))).toBe(1);
    expect(countOf(8, most)).toBeCloseTo(1 / 11, 2);
  });

  test("A22: its next audit is paid for before what looks at whole versions; paid like others', the control, it never comes", () => {
    const late = sent(having(1, 8, "once"), "once", 8);
    expect(planOf(delta("once"), false, [], late)).toEqual({ chance: 1, whose: "overdue" });
    expect(planOf(delta("once"), false, [], sent(having(1, 8, "once"), "once", 7)).whose).toBe("either");
    const look = { batches: 3, own: false };
    const audited = (whose: "either" | "overdue") => {
      const budget = new Budget(0.1, 400); // 40 and 20 before anything is trained, and debts of 10
      while (budget.spendFirst(1)) {}
      const purse = purseOf(budget, whose, ({ batches }) => batches);
      for (let version = 0; version < 100; version++) {
        budget.earn(10); // of which the halves have a half each
        if (purse.pay([look])) return true;
        while (budget.spendFirst(1)) {}
      }
      return false;
    };
    expect(audited("overdue")).toBe(true);
    expect(audited("either")).toBe(false);
  });
});
