import { describe, expect, test } from "vitest";
import { centredClipping } from "../../bench/attacks/centred-clipping.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { delta, key, known, learned, NONE } from "../../test/harness/trust.ts";
import type { Candidate } from "./candidate.ts";
import { addStrike, merged, NO_TRUST, recordPass, type Trust } from "./standing.ts";
import { byTrust, mean, RULES } from "./weigh.ts";

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

  test("neither size nor age of an honest delta takes from its credit; half of a struck volunteer's is taken", () => {
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

  test("A22: newcomers alone make no version where somebody trusted is about, for a while at least; the control lets them", () => {
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

test("centred clipping weighs a far delta down and keeps the rest of the mean at the centre", () => {
  const at = (value: number) => ({ values: Float32Array.of(value), weight: 1 });
  const { weights, centre } = centredClipping([at(1), at(1), at(100)], Float32Array.of(0));
  expect(weights[0]).toBeCloseTo(1 / 3, 6);
  expect(weights[2]).toBeCloseTo(1 / 300, 6);
  expect(centre).toBeCloseTo(1 - 2 / 3 - 1 / 300, 6);
});
