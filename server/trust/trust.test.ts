import { describe, expect, test } from "vitest";
import { centredClipping } from "../../bench/attacks/centred-clipping.ts";
import { DENSE2, DENSE4, F32 } from "../../protocol/codec/codec.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Change } from "../../protocol/shared-audit.ts";
import { blameOf, type Evidence, excused, lookInto, planOf, verdictOf } from "./audit.ts";
import { Budget } from "./budget.ts";
import type { Candidate } from "./candidate.ts";
import { Gauge } from "./gauge.ts";
import {
  addStrike,
  admitted,
  applyRuling,
  auditChance,
  merged,
  NO_TRUST,
  recordPass,
  reputation,
  resetSince,
  seen,
  standingOf,
  type Trust,
  trusted,
} from "./standing.ts";
import { harmless, reachable, rolledBackTo } from "./tripwire.ts";
import { NOTHING_USUAL, upTo, usualGain, usualSize, withGain, withSize } from "./usual.ts";
import { byTrust, mean, RULES } from "./weigh.ts";

const key = (name: string) => name as VolunteerKey;
const NONE = "none" as TicketId;
const delta = (ticket: string, size = 1, changes: Partial<Candidate> = {}): Candidate => ({
  ticket: ticket as TicketId,
  volunteer: key(`of ${ticket}`),
  version: 5,
  tokens: 100,
  facts: { size },
  ...changes,
});
const learned = <T>(...values: readonly T[]) => values.map((value) => ({ version: 0, value }));
const gaining = (...gains: readonly number[]): Trust => ({
  ...NO_TRUST,
  usual: { ...NOTHING_USUAL, gains: learned(...gains) },
});
/** Sizes around 1, and these volunteers found good. */
const known = (...volunteers: string[]): Trust =>
  volunteers.reduce<Trust>((trust, name) => recordPass(trust, key(`of ${name}`), NONE), {
    ...NO_TRUST,
    usual: { ...NOTHING_USUAL, sizes: learned(0.9, 1, 1.1) },
  });
const weightOf = (weights: readonly { ticket: TicketId; weight: number }[], ticket: string) =>
  weights.find((one) => one.ticket === ticket)?.weight ?? 0;

describe("weighing", () => {
  test("A21: a delta seven times too large weighs what its clipped self would; plain mean, the control, lets it", () => {
    const pool = [delta("a"), delta("big", 7)];
    const trust = known("a", "big");
    expect(weightOf(byTrust(pool, 5, trust, 0).merged, "big") * 7).toBeCloseTo(150, 3);
    expect(weightOf(mean(pool, 5, trust, 0).merged, "big") * 7).toBe(700);
  });

  test("A21: odd-sized deltas alone in a version move the model by 1.5 usual sizes; divided by their own weights, the control, by all of theirs", () => {
    const stepOf = (pool: readonly Candidate[], rule: keyof typeof RULES = "default") => {
      const { merged, total } = RULES[rule](pool, 5, known(...pool.map(({ ticket }) => ticket)), 0);
      const sizes = new Map(pool.map(({ ticket, facts }) => [ticket, facts?.size ?? 0]));
      // All point the same way: the mean is as long as it can be.
      const sum = merged.reduce((length, { ticket, weight }) => length + weight * sizes.get(ticket)!, 0);
      const own = merged.reduce((all, { weight }) => all + weight, 0);
      return { moved: sum / (total ?? own), control: sum / own };
    };
    expect(stepOf([delta("odd", 7.9)]).moved).toBeCloseTo(1.5, 9);
    expect(stepOf([delta("odd", 7.9)]).control).toBeCloseTo(7.9, 9);
    expect(stepOf([delta("odd", 7.9), delta("large", 4), delta("more", 6)]).moved).toBeCloseTo(1.5, 9);
    expect(stepOf([delta("odd", 7.9), delta("a")]).moved).toBeCloseTo(1.25, 9);
    expect(stepOf([delta("odd", 7.9)], "clipped-mean").moved).toBeCloseTo(1.5, 9);
    expect(stepOf([delta("odd", 7.9)], "mean").moved).toBeCloseTo(7.9, 9);
    // Honest ones are divided by their own weights, as ever.
    expect(byTrust([delta("a"), delta("b", 1.4)], 5, known("a", "b"), 0).total).toBeUndefined();
  });

  test("A21: a delta alone whose size hides in one tensor is shorter by as much; the control moves that tensor by all of it", () => {
    const usual = { ...known().usual, tensors: learned([1, 0.01]) };
    const trust: Trust = { ...known("hidden"), usual };
    const hidden = delta("hidden", 1, { facts: { size: 1, tensors: [0.5, 0.6] } });
    const { merged, total } = byTrust([hidden], 5, trust, 0);
    expect((0.6 * weightOf(merged, "hidden")) / total!).toBeCloseTo(3 * 0.01, 9);
    expect(mean([hidden], 5, trust, 0).total).toBeUndefined();
  });

  test("A21: a delta whose size hides in one tensor is scaled by that tensor's own median; the control lets it", () => {
    const sized = (ticket: string, ...tensors: number[]) => delta(ticket, 1, { facts: { size: 1, tensors } });
    const trust: Trust = {
      ...known("a", "hidden"),
      usual: {
        ...known().usual,
        tensors: learned([1, 0.01, 0], [1.1, 0.012, 0], [0.9, 0.008, 0]),
      },
    };
    const pool = [sized("a", 1, 0.02, 0.5), sized("hidden", 0.5, 0.6, 0)];
    expect(weightOf(byTrust(pool, 5, trust, 0).merged, "a")).toBe(100); // a little odd, and something new: honest
    expect(weightOf(byTrust(pool, 5, trust, 0).merged, "hidden")).toBeCloseTo(100 / 20, 6);
    expect(weightOf(mean(pool, 5, trust, 0).merged, "hidden")).toBe(100);
    // While nothing is known yet, those that wait say what is usual.
    const begun = byTrust([sized("a", 1, 1), sized("b", 1, 1), sized("c", 1, 9)], 5, NO_TRUST, 0).merged;
    expect(weightOf(begun, "c")).toBeCloseTo(100 / 3, 6);
  });

  test("A15: a suspect is not merged before its audit, and goes when none comes", () => {
    const pool = [
      delta("a"),
      delta("odd", 100),
      delta("copy", 1, { facts: { size: 1, copies: "a" as TicketId } }),
    ];
    const now = byTrust(pool, 5, known("a"), 0);
    expect(now.merged.map(({ ticket }) => ticket)).toEqual(["a"]);
    expect(now.discarded).toEqual([]);
    expect(byTrust(pool, 9, known("a"), 0).discarded).toEqual(["odd", "copy"]);
    const proven = [delta("a"), delta("odd", 100, { proven: true })];
    expect(byTrust(proven, 5, known("a"), 0).merged).toHaveLength(2);
    expect(mean(pool, 5, known("a"), 0).merged).toHaveLength(3); // the control
  });

  test("A22: a thousand new keys weigh a twentieth together once somebody trusted is there; the control lets them rule", () => {
    const pool = [delta("a"), ...Array.from({ length: 1_000 }, (_, i) => delta(`new ${i}`))];
    const share = (rule: keyof typeof RULES) => {
      const { merged } = RULES[rule](pool, 9, known("a"), 0); // no audit came
      const total = merged.reduce((sum, { weight }) => sum + weight, 0);
      return 1 - weightOf(merged, "a") / total;
    };
    expect(share("default")).toBeCloseTo(0.05, 6);
    expect(share("mean")).toBeGreaterThan(0.99);
  });

  test("A22: nine new keys that no audit came to use up hardly anything of what a version counts for; the control lets them use nine tenths", () => {
    const pool = [delta("a", 1, { version: 9 }), ...Array.from({ length: 9 }, (_, i) => delta(`new ${i}`))];
    const counted = (rule: keyof typeof RULES) =>
      RULES[rule](pool, 9, known("a"), 0).merged.map(
        ({ ticket, tokens }) => [ticket, tokens ?? 100] as const,
      );
    const part = (rule: keyof typeof RULES) => {
      const all = counted(rule).reduce((sum, [, tokens]) => sum + tokens, 0);
      return 1 - new Map<string, number>(counted(rule)).get("a")! / all;
    };
    expect(new Map<string, number>(counted("default")).get("a")).toBe(100);
    expect(part("default")).toBeLessThan(0.1);
    expect(part("mean")).toBeCloseTo(0.9, 6);
  });

  test("neither size nor age of an honest delta is held against its credit; half of a struck volunteer's is", () => {
    const struck = recordPass(
      addStrike(known("a", "late", "large"), key("of bad"), -1e9),
      key("of bad"),
      NONE,
    );
    const pool = [delta("a"), delta("late", 1, { version: 3 }), delta("large", 3), delta("bad")];
    const { merged } = byTrust(pool, 5, struck, 0);
    expect(merged.map(({ ticket, tokens }) => [ticket, tokens])).toEqual([
      ["a", undefined],
      ["late", undefined],
      ["large", undefined],
      ["bad", 50],
    ]);
  });

  test("A22: newcomers alone make no version where somebody trusted is about, but for a while; the control lets them", () => {
    const pool = [delta("new 1", 1, { at: 1_000 }), delta("new 2", 1, { at: 10_000 })];
    const about = merged(known("a"), key("of a"), 5);
    const tickets = (trust: Trust, now: number, rule: keyof typeof RULES = "default") =>
      RULES[rule](pool, 5, trust, now).merged.map(({ ticket }) => ticket);
    expect(tickets(about, 20_000)).toEqual([]);
    expect(tickets(about, 21_000)).toEqual(["new 1"]);
    expect(tickets(about, 20_000, "mean")).toEqual(["new 1", "new 2"]); // the control
    expect(tickets(merged(known("a"), key("of a"), 3), 20_000)).toHaveLength(2); // it has left
    const proven = byTrust([{ ...pool[0]!, proven: true }, pool[1]!], 5, about, 20_000).merged;
    expect(proven.map(({ ticket }) => ticket)).toEqual(["new 1"]);
  });

  test("A22: a newcomer's delta waits for its audit beside somebody trusted, and weighs an eleventh when none comes; the control merges flips at once", () => {
    const pool = (version: number) => [delta("a", 1, { version, tokens: 1_000 }), delta("flips")];
    const weight = (version: number, rule: keyof typeof RULES = "default") =>
      weightOf(RULES[rule](pool(version), version, known("a"), 0).merged, "flips");
    expect([5, 6, 7, 8].map((version) => weight(version))).toEqual([0, 0, 0, 0]);
    expect(byTrust(pool(8), 8, known("a"), 0).discarded).toEqual([]);
    expect(weight(9)).toBeCloseTo(100 / 5 ** 1.5, 9);
    expect(byTrust(pool(9), 9, known("a"), 0).merged[1]?.tokens).toBe(9); // its credit, of 100
    expect(weight(5, "mean")).toBe(100);
    const audited = byTrust([pool(5)[0]!, delta("flips", 1, { proven: true })], 5, known("a"), 0).merged;
    expect(weightOf(audited, "flips")).toBe(100);
    expect(weightOf(byTrust(pool(5), 5, NO_TRUST, 0).merged, "flips")).toBe(100); // nobody is trusted yet
  });

  test("A23: newcomers of one network prefix weigh a fortieth together", () => {
    const pool = [
      delta("a"),
      ...Array.from({ length: 50 }, (_, i) => delta(`new ${i}`, 1, { facts: { size: 1, from: "net" } })),
    ];
    const { merged } = byTrust(pool, 9, known("a"), 0); // no audit came
    const total = merged.reduce((sum, { weight }) => sum + weight, 0);
    expect(1 - weightOf(merged, "a") / total).toBeCloseTo(1 / 40, 6);
  });

  test("A23: trusted or not, one network weighs no more than all others; of two, and of unknown ones, nothing is said", () => {
    const from = (net: string | undefined, count: number) =>
      Array.from({ length: count }, (_, i) =>
        delta(`${net} ${i}`, 1, { facts: { size: 1, ...(net !== undefined && { from: net }) } }),
      );
    const share = (pool: readonly Candidate[], net: string, rule: keyof typeof RULES = "default") => {
      const trust = known(...pool.map(({ ticket }) => ticket));
      const { merged } = RULES[rule](pool, 5, trust, 0);
      const sum = (some: typeof merged) => some.reduce((total, { weight }) => total + weight, 0);
      return sum(merged.filter(({ ticket }) => ticket.startsWith(net))) / sum(merged);
    };
    const pool = [...from("net", 20), ...from("b", 1), ...from("c", 1)];
    expect(share(pool, "net")).toBeCloseTo(1 / 2, 6);
    expect(share(pool, "net", "mean")).toBeCloseTo(20 / 22, 6); // the control
    expect(share([...from("net", 20), ...from("b", 1)], "net")).toBeCloseTo(20 / 21, 6);
    expect(share([...from(undefined, 20), ...from("b", 1), ...from("c", 1)], "undefined")).toBeCloseTo(
      20 / 22,
      6,
    );
  });

  test("A24: what waits of a volunteer in quarantine is discarded", () => {
    const trust = addStrike(known("a"), key("of bad"), 1_000);
    const { merged, discarded } = byTrust([delta("a"), delta("bad")], 5, trust, 2_000);
    expect([merged.map(({ ticket }) => ticket), discarded]).toEqual([["a"], ["bad"]]);
  });

  test("while nobody is trusted everybody counts, so that a run begins", () => {
    expect(byTrust([delta("a"), delta("b")], 5, NO_TRUST, 0).merged.map(({ weight }) => weight)).toEqual([
      100, 100,
    ]);
  });
});

describe("standing (A24)", () => {
  test("a strike takes trust and weight; it is forgiven by audits passed, and quarantine ends", () => {
    const who = key("v");
    let trust = recordPass(NO_TRUST, who, NONE);
    expect(trusted(standingOf(trust, who))).toBe(true);
    trust = addStrike(trust, who, 1_000);
    expect(trusted(standingOf(trust, who))).toBe(false);
    expect(admitted(standingOf(trust, who), 2_000)).toBe(false);
    expect(admitted(standingOf(trust, who), 200_000)).toBe(true);
    expect(reputation(standingOf(trust, who))).toBe(0.5);
    for (let i = 0; i < 8; i++) trust = recordPass(trust, who, NONE);
    expect(reputation(standingOf(trust, who))).toBe(1);
    const second = addStrike(addStrike(trust, who, 0), who, 0);
    expect(standingOf(second, who).until).toBe(480_000);
  });

  test("A15: a newcomer found bad loses what no audit stood for; one past its probation that delta alone", () => {
    const tickets = ["a", "b", "c"] as TicketId[];
    const having = (trust: Trust) => tickets.reduce((known, id) => seen(known, key("v"), id), trust);
    const unproven = (trust: Trust) => standingOf(trust, key("v")).unproven;
    expect(unproven(having(NO_TRUST))).toEqual(tickets);
    expect(unproven(recordPass(having(NO_TRUST), key("v"), tickets[1]!))).toEqual(["c"]);
    expect(unproven(addStrike(having(NO_TRUST), key("v"), 0))).toEqual([]);
    const veteran = recordPass(recordPass(NO_TRUST, key("v"), NONE), key("v"), NONE);
    expect(unproven(having(veteran))).toEqual([]); // the control
  });

  test("the operator's ban outlasts everything but forgiveness", () => {
    const banned = applyRuling(NO_TRUST, key("v"), true);
    expect(admitted(standingOf(banned, key("v")), Number.MAX_SAFE_INTEGER)).toBe(false);
    expect(admitted(standingOf(applyRuling(banned, key("v"), false), key("v")), 0)).toBe(true);
  });

  test("newcomers are audited surely, veterans ever less, never below 5%", () => {
    let trust = NO_TRUST;
    expect(auditChance(standingOf(trust, key("v")))).toBe(1);
    for (let i = 0; i < 10; i++) trust = seen(recordPass(trust, key("v"), NONE), key("v"), NONE);
    expect(auditChance(standingOf(trust, key("v")))).toBe(0.1);
    for (let i = 0; i < 100; i++) trust = seen(trust, key("v"), NONE);
    expect(auditChance(standingOf(trust, key("v")))).toBe(0.05);
  });

  test("A32: a veteran with a strike is audited five times as often as one without, the control; with two surely", () => {
    const veteran = (strikes: number) => ({
      ...standingOf(NO_TRUST, key("v")),
      passed: 9,
      streak: 500,
      strikes,
    });
    expect([0, 1, 2, 3].map((strikes) => auditChance(veteran(strikes)))).toEqual([0.05, 0.25, 1, 1]);
  });

  test("after a roll-back whoever had a part is a newcomer again", () => {
    const trust = known("a", "b");
    const merged = {
      ...trust,
      standings: new Map(trust.standings).set(key("of a"), { ...standingOf(trust, key("of a")), merged: 9 }),
    };
    const after = resetSince(merged, 5);
    expect([trusted(standingOf(after, key("of a"))), trusted(standingOf(after, key("of b")))]).toEqual([
      false,
      true,
    ]);
  });

  test("A25: a roll-back takes back what was usual since; by that of a broken model, the control, an honest delta is bad", () => {
    // Ten honest deltas gain .02 a step; on the broken model, nine gained .9.
    let { usual } = NO_TRUST;
    for (let version = 1; version <= 10; version++)
      usual = withGain(withSize(usual, version, { size: 1 }), version, 0.02);
    const sound = usual;
    for (let i = 0; i < 9; i++) usual = withGain(withSize(usual, 11, { size: 3 }), 11, 0.9);
    const broken: Trust = { ...NO_TRUST, usual };
    const honest = { assigned: { before: 3, after: 2.9 }, gate: { before: 3, after: 2.9 } };
    expect(verdictOf(honest, 5, broken).verdict).toBe("bad");
    const back = resetSince(broken, 10);
    expect(verdictOf(honest, 5, back).verdict).toBe("good");
    expect(usualSize(back.usual)).toBe(1);
    expect(upTo(usual, 0).gains).toEqual([]);
    expect(usualSize(upTo(usual, 0))).toBe(usualSize(usual)); // sizes are better than none
    expect(usualGain(back.usual)).toBe(usualGain(sound));
  });

  test("a flood of keys is forgotten before anyone who was found good or bad", () => {
    let trust = addStrike(known("good"), key("bad"), 0);
    const standings = new Map(trust.standings);
    for (let i = 0; i < 20_001; i++) standings.set(key(`${i}`), standingOf(trust, key("none")));
    trust = { ...trust, standings };
    trust = seen(trust, key("last"), NONE);
    expect(trusted(standingOf(trust, key("of good")))).toBe(true);
    expect(standingOf(trust, key("bad")).strikes).toBe(1);
  }, 60_000);
});

describe("audits (A14)", () => {
  const evidence = (own: number, gate: number) => ({
    assigned: { before: 3, after: 3 - own },
    gate: { before: 3, after: 3 - gate },
  });
  const trust: Trust = gaining(0.1, 0.1, 0.1);

  test("what helps its own text is good; zeros, noise and harm are bad", () => {
    expect(verdictOf(evidence(0.5, 0.3), 5, trust).verdict).toBe("good");
    expect(verdictOf(evidence(0, 0), 5, trust)).toMatchObject({ verdict: "bad", reason: "no-gain" });
    expect(verdictOf(evidence(0.005, 0), 5, trust).reason).toBe("no-gain");
    expect(verdictOf(evidence(-0.5, -0.5), 5, trust).verdict).toBe("bad");
    expect(verdictOf(evidence(0.1, -1), 5, trust).reason).toBe("harm");
    expect(verdictOf(evidence(Number.NaN, 0), 5, trust).verdict).toBe("bad");
  });

  test("what may be chance is unclear, and nobody is struck for it; what is far beyond it is bad", () => {
    const noisy = (own: Change, gate: Change) => ({ assigned: own, gate });
    const change = (gain: number, error: number): Change => ({ before: 3, after: 3 - gain, error });
    const verdict = (own: Change, gate = change(0.1, 0)) => verdictOf(noisy(own, gate), 5, trust);
    expect(verdict(change(-0.05, 0.08))).toEqual({ verdict: "unclear", reason: "no-gain" });
    expect(verdict(change(-0.05, 0.04))).toEqual({ verdict: "bad", reason: "no-gain" });
    expect(verdict(change(0, 0)).verdict).toBe("bad"); // zeros: no chance about it
    expect(verdict(change(0.1, 0.01), change(-0.4, 0.2))).toEqual({ verdict: "unclear", reason: "harm" });
    expect(verdict(change(0.1, 0.01), change(-0.4, 0.04))).toEqual({ verdict: "bad", reason: "harm" });
    // The control: the same numbers, were they certain.
    expect(verdict(change(-0.05, 0)).verdict).toBe("bad");
    expect(verdict(change(0.1, 0), change(-0.4, 0)).verdict).toBe("bad");
  });

  test("where the server's own training of the ticket does no better, the model is to blame and nobody else", () => {
    const [nothing, flipped] = [evidence(-0.01, -0.02), evidence(-0.5, -0.5)];
    expect(verdictOf({ ...nothing, own: flipped }, 5, trust)).toEqual({
      verdict: "unclear",
      reason: "no-gain",
    });
    expect(verdictOf({ ...flipped, own: evidence(0.5, 0.3) }, 5, trust).verdict).toBe("bad");
    expect(verdictOf(nothing, 5, trust).verdict).toBe("bad"); // the control
    expect(verdictOf({ ...nothing, distance: 0.5, own: nothing }, 5, trust).reason).toBe("mismatch");
  });

  test("gains that fall faster than what is usual strike nobody: the server's own of the same ticket counts, where it is less", () => {
    // As measured at version 7 of a small run whose newest proven deltas were all of version 0.
    const early: Trust = gaining(0.062, 0.0618, 0.0616);
    const honest = {
      assigned: { before: 2.725, after: 2.715, error: 0.002 },
      gate: { before: 2.649, after: 2.629, error: 0.003 },
    };
    const own = { assigned: { before: 2.725, after: 2.698, error: 0.007 }, gate: honest.gate };
    const verdict = verdictOf({ ...honest, own }, 10, early);
    expect(verdict).toMatchObject({ verdict: "good", reason: "gain" });
    expect(verdict.gain).toBeCloseTo(0.001, 9);
    expect(verdictOf(honest, 10, early).verdict).toBe("bad"); // the control: by what is usual alone
    const lazy = { ...honest, assigned: { before: 2.725, after: 2.7249, error: 0.0001 } };
    expect(verdictOf({ ...lazy, own }, 10, early).verdict).toBe("bad"); // too little by either measure
    const chance = { ...own, assigned: { ...own.assigned, error: 0.03 } };
    expect(verdictOf({ ...honest, own: chance }, 10, early).verdict).toBe("unclear");
  });

  test("where rounding alone takes the server's own training elsewhere, it speaks against nobody", () => {
    const flipped = { ...evidence(-0.5, -0.5), own: evidence(0.5, 0.3) };
    expect(verdictOf({ ...flipped, unsteadiness: 0.2 }, 5, trust)).toEqual({
      verdict: "unclear",
      reason: "no-gain",
    });
    expect(verdictOf({ ...flipped, unsteadiness: 0.001 }, 5, trust).verdict).toBe("bad"); // the control
  });

  test("looks go on until it is clear; nobody is found bad without the server's own training of the ticket", async () => {
    const told = async (found: readonly Evidence[], affordable = 9, learns = false) => {
      const asked: string[] = [];
      const verdict = await lookInto(
        async ({ batches, own }) => {
          asked.push(`${batches}${own ? " and its own" : ""}`);
          return found[Math.min(asked.length, found.length) - 1]!;
        },
        { pay: () => asked.length < affordable, refund: () => {} },
        (about) => verdictOf(about, 5, trust),
        learns,
      );
      return [verdict?.verdict, ...asked];
    };
    const [good, bad] = [evidence(0.5, 0.3), evidence(-0.5, -0.5)];
    const chance = { ...bad, assigned: { before: 3, after: 3.5, error: 1 } };
    expect(await told([good])).toEqual(["good", "1"]);
    expect(await told([bad, good])).toEqual(["good", "1", "2"]);
    expect(await told([bad, bad, { ...bad, own: good }])).toEqual(["bad", "1", "2", "2 and its own"]);
    expect(await told([bad, bad, { ...bad, own: bad }])).toEqual(["unclear", "1", "2", "2 and its own"]);
    expect(await told([bad], 9, true)).toEqual(["bad", "1", "2"]); // it learned just now
    const little = evidence(0.01, 0);
    const beside = { ...little, own: evidence(0.2, 0.2) };
    expect(await told([little, little, beside], 9, true)).toEqual(["good", "1", "2", "2 and its own"]);
    expect(await told([chance])).toEqual(["unclear", "1", "2", "4"]);
    expect(await told([bad], 2)).toEqual([undefined, "1", "2"]);
  });

  test("A25: who did right by the weights it was made for is excused, whatever it does to those that came back", () => {
    const bad = { verdict: "bad", reason: "harm" } as const;
    expect(excused(bad, { verdict: "good", reason: "gain" })).toEqual({ verdict: "unclear", reason: "harm" });
    expect(excused(bad, bad)).toEqual(bad);
    expect(excused(bad, undefined).verdict).toBe("unclear"); // those weights are gone
    const good = { verdict: "good", reason: "gain" } as const;
    expect(excused(good, bad)).toEqual(good);
  });

  test("A25: after a roll-back bad is what does harm; honest deltas that gain nothing on other weights are not", () => {
    expect(blameOf(evidence(0.5, 0.3), 5, trust)).toEqual({ verdict: "good", reason: "gain" });
    expect(blameOf(evidence(-0.5, -0.5), 5, trust).verdict).toBe("bad");
    expect(blameOf(evidence(0.1, -1), 5, trust).reason).toBe("harm");
    expect(blameOf(evidence(Number.NaN, 0), 5, trust).verdict).toBe("bad");
    for (const nothing of [evidence(0, 0), evidence(-0.1, -0.1)]) {
      expect(blameOf(nothing, 5, trust)).toEqual({ verdict: "unclear", reason: "no-gain" });
      expect(verdictOf(nothing, 5, trust).verdict).toBe("bad"); // the control: so it was once
    }
  });

  test("a recomputation says nothing where the server's own differs from itself: there gains count", () => {
    const far = { ...evidence(0.5, 0.3), distance: 0.5 };
    expect(verdictOf({ ...far, unsteadiness: 0.2 }, 5, trust)).toMatchObject({
      verdict: "good",
      reason: "gain",
    });
    expect(verdictOf({ ...far, ...evidence(-1, -1), unsteadiness: 0.2 }, 5, trust).verdict).toBe("bad");
    expect(verdictOf({ ...far, unsteadiness: 0.001 }, 5, trust).reason).toBe("mismatch"); // the control
  });

  test("a recomputed ticket speaks for itself", () => {
    expect(verdictOf({ ...evidence(0, 0), distance: 0.01 }, 5, trust).reason).toBe("recomputed");
    expect(verdictOf({ ...evidence(1, 1), distance: 0.5 }, 5, trust).reason).toBe("mismatch");
    expect(verdictOf({ ...evidence(0, 0), distance: 0.01, length: 0.6 }, 5, trust).reason).toBe("mismatch");
    expect(verdictOf({ ...evidence(0, 0), distance: 0.01, length: 1.6 }, 5, trust).reason).toBe("mismatch");
    expect(verdictOf({ ...evidence(0, 0), distance: 0.01, length: 0.97 }, 5, trust).reason).toBe(
      "recomputed",
    );
  });

  test("how far a recomputed ticket may lie off depends on where less work would have led", () => {
    const near = { ...evidence(0, 0), distance: 0.004 };
    expect(verdictOf({ ...near, shortened: 0.01 }, 5, trust).reason).toBe("recomputed");
    expect(verdictOf({ ...near, shortened: 0.006 }, 5, trust).reason).toBe("mismatch");
    expect(verdictOf(near, 5, trust).reason, "the control").toBe("recomputed");
    const wide = { ...evidence(0, 0), distance: 0.2, shortened: 0.9 };
    expect(verdictOf(wide, 5, trust).reason).toBe("mismatch");
    // What rounding alone does is no proof either, by the same measure.
    const unsteady = { ...evidence(0.5, 0.3), distance: 0.004, shortened: 0.006 };
    expect(verdictOf({ ...unsteady, unsteadiness: 0.001 }, 5, trust).reason).toBe("gain");
    expect(verdictOf({ ...unsteady, unsteadiness: 0.0001 }, 5, trust).reason).toBe("mismatch");
  });

  test("a veteran's suspect is audited surely, and paid for as a stranger's; its other deltas are not", () => {
    let veteran = known();
    for (let i = 0; i < 30; i++) veteran = seen(recordPass(veteran, key("of v"), NONE), key("of v"), NONE);
    const opposed = delta("v", 1, { facts: { size: 1, agreement: -0.5 } });
    expect(planOf(opposed, false, [], veteran)).toEqual({ chance: 1, whose: "stranger", odd: true });
    expect(planOf(delta("v"), false, [], veteran)).toEqual({ chance: 0.05, whose: "veteran" }); // the control
    expect(planOf(delta("v"), true, [], veteran)).toEqual({ chance: 1, whose: "stranger" });
    expect(planOf(delta("new"), false, [], veteran)).toEqual({ chance: 1, whose: "stranger" });
  });

  test("a fresh ticket is recomputed also where the server's own direction has cost the half of veterans", () => {
    const veteran = Array.from({ length: 40 }).reduce<Trust>(
      (trust) => recordPass(seen(trust, key("v"), "t" as TicketId), key("v"), "t" as TicketId),
      NO_TRUST,
    );
    const budget = new Budget(0.1, 100);
    expect(budget.spend(4, "veteran")).toBe(true); // a direction
    const { whose } = planOf(
      { ticket: "t" as TicketId, volunteer: key("v"), version: 0, tokens: 8 },
      true,
      [],
      veteran,
    );
    expect(budget.spend(3, "veteran"), "the control").toBe(false);
    expect(budget.spend(3, whose)).toBe(true);
  });
});

describe("the gauge (A15)", () => {
  const ticket = (id: string) => ({ id: id as TicketId, rates: [0.01, 0.01] });
  const values = (seed: number) =>
    Float32Array.from(
      { length: 4_096 },
      (_, i) => (1 + Math.sin(i / 300) / 2) * Math.sin(seed * 1_000 + i * i),
    );

  test("finds the same delta under another ticket, and no likeness in honest ones", () => {
    const gauge = new Gauge(4_096, DENSE4, [], Math.random);
    const first = encodeFrame(DENSE4, values(1));
    expect(gauge.measure(ticket("a"), first, 1).copies).toBeUndefined();
    expect(gauge.measure(ticket("b"), encodeFrame(DENSE4, values(2)), 1).copies).toBeUndefined();
    expect(gauge.measure(ticket("c"), first, 1).copies).toBe("a");
    const near = decodeFrame(first, 4_096).map((value, i) => (i % 3 === 0 ? 0 : value));
    expect(gauge.measure(ticket("d"), encodeFrame(F32, near), 1).copies).toBe("c");
  });

  test.each([
    ["four bits", DENSE4],
    ["two bits", DENSE2],
    ["whole numbers", F32],
    ["the largest alone", { name: "topk", chunk: 64, k: 16, bits: 4 }],
  ] as const)(
    "A15: finds a copy whatever it is multiplied by, in %s; honest deltas that agree, the control, are none",
    (_, codec) => {
      const [mine, noise] = [values(1), values(2)];
      for (const factor of [1.03, 0.7, 3, -1]) {
        const gauge = new Gauge(4_096, codec, [], Math.random);
        const first = encodeFrame(codec, mine);
        expect(gauge.measure(ticket("a"), first, 1).copies).toBeUndefined();
        const copy = decodeFrame(first, 4_096).map((value) => factor * value);
        expect(gauge.measure(ticket("b"), encodeFrame(codec, copy), 1).copies).toBe("a");
        // Nearer than any two honest ones of real text came: a cosine of .994.
        const near = mine.map((value, i) => factor * (value + 0.11 * noise[i]!));
        const other = new Gauge(4_096, codec, [], Math.random);
        other.measure(ticket("a"), first, 1);
        expect(other.measure(ticket("b"), encodeFrame(codec, near), 1).copies).toBeUndefined();
      }
    },
  );

  test("A21: measures each tensor, also where one is small and the vector large", () => {
    const tensors = [
      { offset: 0, length: 350_000 },
      { offset: 350_000, length: 300 },
      { offset: 350_300, length: 349_700 },
      { offset: 700_000, length: 100 },
    ];
    const vector = Float32Array.from(
      { length: 700_100 },
      (_, i) => Math.sin(i * 1.7) * (i < 350_300 ? 1 : 9),
    );
    const norms = tensors.map(({ offset, length }) =>
      Math.sqrt(vector.subarray(offset, offset + length).reduce((sum, value) => sum + value ** 2, 0)),
    );
    const gauge = new Gauge(vector.length, DENSE4, tensors, () => 0.3);
    const frame = encodeFrame(DENSE4, vector);
    const { size, tensors: found = [] } = gauge.measure({ id: "a" as TicketId, rates: [1] }, frame, 7);
    expect(size).toBe(7);
    found.forEach((each, i) => {
      expect(each / norms[i]!).toBeGreaterThan(0.8);
      expect(each / norms[i]!).toBeLessThan(1.25);
    });
    expect(found).toHaveLength(4);
  });

  test("tells what points against the server's own direction", () => {
    const gauge = new Gauge(4_096, F32, [], Math.random);
    gauge.direct(values(1));
    expect(gauge.measure(ticket("a"), encodeFrame(F32, values(1)), 1).agreement).toBeCloseTo(1, 5);
    const flipped = values(1).map((value) => -value);
    expect(gauge.measure(ticket("b"), encodeFrame(F32, flipped), 1).agreement).toBeCloseTo(-1, 5);
  });
});

describe("the tripwire (A25)", () => {
  const curve = (...losses: number[]) => losses.map((loss, version) => ({ version, tokens: version, loss }));
  const points = curve(4, 3.5, 3, 2.9);
  const at = (version: number, loss: number) => ({ version, tokens: version, loss });

  test("a loss that stays far above the lowest of late leads back there, and one very far at once", () => {
    expect(rolledBackTo([...points, at(4, 4)], at(5, 3.9), 0.3)).toBe(3);
    expect(rolledBackTo([...points, at(4, 4), at(5, 3)], at(6, 3.9), 0.3)).toBe(3);
    expect(rolledBackTo(points, at(4, 5.6), 0.3)).toBe(3);
  });

  test("what is mended by the next version, a noisy curve and a beginning set nothing off", () => {
    expect(rolledBackTo(points, at(4, 4), 0.3)).toBeUndefined();
    expect(rolledBackTo([...points, at(4, 4)], at(5, 3), 0.3)).toBeUndefined();
    expect(rolledBackTo([...points, at(4, 3.7)], at(5, 3.7), 0.3)).toBeUndefined();
    expect(rolledBackTo(points.slice(0, 2), at(2, 9), 0.3)).toBeUndefined();
  });

  test("a swarm of one whose steps are large rises and falls by chance; harm, the control, is above that", () => {
    // As measured: one volunteer, 23,000 parameters, Muon at 1.3.
    const measured = [
      3.54, 3.53, 3.56, 3.61, 3.76, 3.76, 3.72, 3.59, 3.64, 3.9, 3.83, 4.15, 4.06, 3.79, 3.83, 3.87, 3.87,
      3.89, 4.17, 4.81, 4.83, 4.27, 3.86,
    ];
    const trips = measured.map((loss, i) => rolledBackTo(curve(...measured.slice(0, i)), at(i, loss), 0.3));
    expect(trips).toEqual(measured.map(() => undefined));
    const harmed = curve(...measured, 5.4);
    expect(rolledBackTo(harmed, at(harmed.length, 5.4), 0.3)).toBe(1);
    // A curve that is smooth knows no chance: there those two versions would be too much.
    const smooth = curve(...measured.map(() => 3.53), 4.81);
    expect(rolledBackTo(smooth, at(smooth.length, 4.83), 0.3)).toBe(0);
  });

  test("harm shows on what is trained on, and leads to the best that is stored; a text learned by heart does not", () => {
    const stored = [
      { version: 10, loss: 3.1 },
      { version: 20, loss: 3 },
      { version: 30, loss: 3.6 },
    ];
    expect(harmless(stored, 4, 0.3)?.version).toBe(20);
    expect(harmless(stored, Number.NaN, 0.3)?.version).toBe(20);
    expect(harmless([{ version: 9, loss: Number.NaN }, ...stored], 4, 0.3)?.version).toBe(20);
    expect(harmless(stored, 2.5, 0.3)).toBeUndefined();
    expect(harmless(stored, 3.3, 0.3)).toBeUndefined();
    expect(harmless([], 9, 0.3)).toBeUndefined();
  });

  test("without a look at it: as far back as was said, else to what was measured and is lower, and not twice", () => {
    const heldOut = [at(5, 2.8), at(30, 3), at(41, 4.2)];
    expect(reachable([4, 30, 40], 5, heldOut, 0.3)).toBe(4);
    expect(reachable([20, 30, 40], 5, heldOut, 0.3)).toBe(30);
    expect(reachable([20, 40], 5, heldOut, 0.3)).toBeUndefined(); // of neither is anything known
    expect(reachable([], 5, heldOut, 0.3)).toBeUndefined();
    const after = [at(5, 2.8), at(30, 3), at(42, 3)];
    expect(reachable([30, 42], 5, after, 0.3)).toBeUndefined();
  });
});

test("centred clipping weighs a far delta down and keeps the rest of the mean at the centre", () => {
  const at = (value: number) => ({ values: Float32Array.of(value), weight: 1 });
  const { weights, centre } = centredClipping([at(1), at(1), at(100)], Float32Array.of(0));
  expect(weights[0]).toBeCloseTo(1 / 3, 6);
  expect(weights[2]).toBeCloseTo(1 / 300, 6);
  expect(centre).toBeCloseTo(1 - 2 / 3 - 1 / 300, 6);
});
