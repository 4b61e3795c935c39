import { expect, test } from "vitest";
import type { Change } from "../../protocol/shared-audit.ts";
import { type Evidence, lookCost, lookInto, verdictOf } from "./audit.ts";
import { Budget, type Look, purseOf } from "./budget.ts";
import { NO_TRUST } from "./standing.ts";
import { NOTHING_USUAL, withGain } from "./usual.ts";

/** Others gain .1 a step. */
const trust = { ...NO_TRUST, usual: withGain(NOTHING_USUAL, 0, 0.1) };
const STEPS = 5;
const change = (gain: number, error = 0.01): Change => ({ before: 3, after: 3 - STEPS * gain, error });
const evidence = (gain: number): Evidence => ({ assigned: change(gain), gate: change(gain / 2) });

/** What is found of a delta that gains so much a step where the server's own training gains `own`, and the looks taken. */
async function audited(gain: number, own: number, { afford = true, unsteadiness = 0 } = {}) {
  const looks: Look[] = [];
  const verdict = await lookInto(
    async (look) => {
      looks.push(look);
      const beside = { own: evidence(own), ...(!look.effort && { unsteadiness }) };
      return { ...evidence(gain), ...(look.own && beside) };
    },
    { reserves: true, pay: ([look]) => afford || look?.effort !== true, owe: () => {}, refund: () => {} },
    (about) => verdictOf(about, STEPS, trust),
    "lately",
  );
  return { verdict, looks: looks.map(({ batches, effort }) => (effort ? "effort" : batches)) };
}

test("A15: a delta of a fifth of its ticket's steps is bad beside the server's own training; by what others gain alone, the control, it is good", async () => {
  const { verdict, looks } = await audited(0.02, 0.1);
  expect(verdict).toEqual({ verdict: "bad", reason: "no-gain" });
  expect(looks).toEqual([1, 2, "effort", 1]); // once more before it is bad: is its course steady?
  expect(verdictOf(evidence(0.02), STEPS, trust)).toMatchObject({ verdict: "good" });
});

test("A15: an honest delta that gains as little as the server's own does is good, and nothing hints at it any more", async () => {
  const { verdict, looks } = await audited(0.02, 0.03);
  expect(verdict).toEqual({ verdict: "good", reason: "gain", gain: expect.closeTo(0.02, 9) });
  expect(looks).toEqual([1, 2, "effort"]);
});

test("one that gains half of what others do is compared with nothing", async () => {
  expect(await audited(0.06, 1)).toMatchObject({ verdict: { verdict: "good" }, looks: [1] });
});

test("nobody is blamed on an unsteady course, nor where the comparison cannot be afforded or its errors are large", async () => {
  expect((await audited(0.02, 0.1, { unsteadiness: 0.5 })).verdict?.verdict).toBe("unclear");
  expect((await audited(0.02, 0.1, { afford: false })).verdict?.verdict).toBe("good");
  const [gain, own] = [0.02, 0.1].map((each) => ({ ...evidence(each), assigned: change(each, 0.2) }));
  expect(verdictOf({ ...gain!, own: own! }, STEPS, trust).verdict).toBe("good");
});

test("the comparison costs one training of the ticket and some text, and is never made on credit", () => {
  const effort = { batches: 8, own: true, effort: true } as const;
  // Three passes over the ticket's five micro-batches and one of gate text, and the five steps.
  expect(lookCost(effort, 100, 500, false)).toBe(500 + 600);
  expect(lookCost({ batches: 8, own: true }, 100, 500, false)).toBe(1_000 + 1_000);
  expect(lookCost({ batches: 1, own: true }, 100, 500, false)).toBe(1_000 + 200);
  const budget = new Budget(0.1, 0);
  const purse = purseOf(budget, "veteran", () => 1, true);
  expect(purse.pay([effort])).toBe(false);
  expect(purse.pay([{ batches: 8, own: true }])).toBe(true); // the control: who is nearly found bad
});
