import { describe, expect, test } from "vitest";
import type { TicketId } from "../../protocol/ids.ts";
import type { Change } from "../../protocol/shared-audit.ts";
import { delta, gaining, key, known, NONE } from "../../test/harness/trust.ts";
import { blameOf, type Evidence, excused, type Learns, lookInto, verdictOf, verdictOnPart } from "./audit.ts";
import { Budget, type Look, purseOf } from "./budget.ts";
import { planOf } from "./plan.ts";
import { NO_TRUST, recordPass, seen, type Trust } from "./standing.ts";

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

  test("one step of ten that gains nothing is unclear: what is left over from before may outweigh it", () => {
    const verdict = (own: number, done: number) => {
      const told = evidence(own, 0);
      return verdictOnPart(verdictOf(told, done, trust), told, { done, asked: 10 }, trust);
    };
    expect(verdict(-0.05, 1)).toEqual({ verdict: "unclear", reason: "no-gain" });
    expect(verdict(-0.05, 2), "the control").toEqual({ verdict: "bad", reason: "no-gain" });
    expect(verdict(-0.5, 1).verdict, "what costs as much as the whole ticket gains").toBe("bad");
    expect(verdict(Number.NaN, 1).verdict).toBe("bad");
    expect(verdict(0.2, 1).verdict).toBe("good");
  });

  test("a delta that chance took the wrong way, and which goes the server's own, is nobody's fault", () => {
    // As it was measured of an honest volunteer, in a run whose held-out loss fell from 2.56 to 2.50 in fifty versions.
    const honest: Evidence = {
      assigned: { before: 2.51305, after: 2.52232, error: 0.00302 },
      gate: { before: 2.49483, after: 2.51748, error: 0.00322 },
      own: {
        assigned: { before: 2.51305, after: 2.49463, error: 0.00445 },
        gate: { before: 2.49483, after: 2.49696, error: 0.00393 },
      },
      cosine: 0.55,
    };
    const slow = gaining(0.0006);
    expect(verdictOf(honest, 10, slow)).toEqual({ verdict: "unclear", reason: "no-gain" });
    expect(verdictOf({ ...honest, cosine: 0.01 }, 10, slow).verdict, "the control: noise").toBe("bad");
    const worse = { ...honest, assigned: { ...honest.assigned, after: 2.54 } };
    expect(verdictOf(worse, 10, slow).verdict, "costs more than the server's gains").toBe("bad");
    const harmful = { ...honest, gate: { ...honest.gate, after: 2.56 } };
    expect(verdictOf(harmful, 10, slow).verdict).toBe("bad");
    const late = {
      ...honest,
      assigned: { ...honest.assigned, after: 2.506 },
      gate: { ...honest.gate, after: 2.5 },
    };
    expect(verdictOf(late, 10, gaining(0.05)).verdict, "gains less than is usual, and enough").toBe("good");
    const broken = { ...honest, gate: { ...honest.gate, after: Number.NaN } };
    expect(verdictOf(broken, 10, slow).verdict).toBe("bad");
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
    const told = async (found: readonly Evidence[], affordable = 9, learns: Learns = "unknown") => {
      const asked: string[] = [];
      const verdict = await lookInto(
        async ({ batches, own, once }) => {
          asked.push(`${batches}${own ? " and its own" : ""}${once ? ", once" : ""}`);
          return found[Math.min(asked.length, found.length) - 1]!;
        },
        { reserves: true, pay: () => asked.length < affordable, owe: () => {}, refund: () => {} },
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
    expect(await told([bad], 9, "same")).toEqual(["bad", "1", "2"]); // these very weights learned
    const little = evidence(0.01, 0);
    const beside = { ...little, own: evidence(0.2, 0.2) };
    expect(await told([little, little, beside], 9, "lately")).toEqual(["good", "1", "2", "2 and its own"]);
    expect(await told([chance])).toEqual(["unclear", "1", "2", "4"]);
    expect(await told([bad], 2)).toEqual([undefined, "1", "2"]);
  });

  test("a stranger's delta that gains nothing is compared with the server's own training also where the model learned lately", async () => {
    const slow = gaining(0.0006);
    const before = { before: 2.51305, error: 0.00302 };
    const took = async (after: number, cosine: number, learns: Learns = "lately") => {
      const asked: Look[] = [];
      const verdict = await lookInto(
        async (look) => {
          asked.push(look);
          const change = { ...before, after, ...(after === before.before && { error: 0 }) };
          const own = { assigned: { ...before, after: 2.49463 }, gate: { ...before, after: 2.51 } };
          return { assigned: change, gate: change, ...(look.own && { own, cosine }) };
        },
        { reserves: true, pay: () => true, owe: () => {}, refund: () => {} },
        (about) => verdictOf(about, 10, slow),
        learns,
      );
      return { verdict: verdict?.verdict, trained: asked.at(-1)?.own === true, once: asked.at(-1)?.once };
    };
    const chance = 2.52232; // as it was measured of an honest volunteer
    expect(await took(chance, 0.55)).toEqual({ verdict: "unclear", trained: true, once: true });
    // The controls: what goes another way, or costs more than training gains, is blamed as ever.
    expect(await took(chance, 0.01)).toEqual({ verdict: "bad", trained: true, once: true });
    expect((await took(2.54, 0.55)).verdict).toBe("bad");
    // No chance made these, and nothing is trained for them.
    expect(await took(before.before, 0)).toEqual({ verdict: "bad", trained: false, once: undefined });
    expect((await took(Number.NaN, 0)).trained).toBe(false);
    // Before the model was seen to learn it is trained twice; on weights that came back it is not.
    expect(await took(chance, 0.01, "unknown")).toEqual({ verdict: "bad", trained: true, once: undefined });
    expect((await took(chance, 0.55, "same")).trained).toBe(false);
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

  test("a veteran's suspect is audited surely, and paid for as a stranger's first; its other deltas are not", () => {
    let veteran = known();
    for (let i = 0; i < 30; i++) veteran = seen(recordPass(veteran, key("of v"), NONE), key("of v"), NONE);
    const opposed = delta("v", 1, { facts: { size: 1, agreement: -0.5 } });
    expect(planOf(opposed, false, [], veteran)).toEqual({ chance: 1, whose: "either", odd: true });
    const unknown = planOf({ ...opposed, volunteer: key("new") }, false, [], veteran);
    expect(unknown).toEqual({ chance: 1, whose: "stranger", odd: true });
    expect(planOf(delta("v"), false, [], veteran)).toEqual({ chance: 0.05, whose: "veteran" }); // the control
    // Nobody knows which of a veteran's fresh tickets is recomputed; of one that was trusted just now it is the first.
    expect(planOf(delta("v"), true, [], veteran)).toEqual({ chance: 0.5, whose: "either" });
    expect(planOf(delta("a"), true, [], known("a"))).toEqual({ chance: 1, whose: "either" });
    expect(planOf(delta("a"), false, [], known("a"))).toEqual({ chance: 1, whose: "either" }); // its second audit
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
    expect(purseOf(budget, whose, () => 3).pay([{ batches: 1, own: false }])).toBe(true);
  });
});
