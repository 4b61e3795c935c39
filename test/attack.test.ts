import { expect, test } from "vitest";
import type { AttackName } from "../bench/attacks/attacks.ts";
import { BOUNDS } from "../bench/attacks/bounds.ts";
import { attackCorpus } from "../bench/attacks/corpus.ts";
import type { BenchRule } from "../bench/attacks/job.ts";
import { creditShare } from "../bench/attacks/rows.ts";
import { runAttack } from "../bench/attacks/swarm.ts";

/**
 * One cell of `bench -- attacks`, small: ten volunteers that train for real, two of whom attack. The whole grid is in
 * docs/SECURITY.md.
 */
const corpus = await attackCorpus();

const under = (rule: BenchRule, attack: AttackName | undefined) => {
  const fraction = attack === undefined ? 0 : 0.2;
  const job = {
    rule,
    attack,
    fraction,
    sharding: "skewed",
    seed: 1,
    volunteers: 10,
    tokens: 64_000,
  } as const;
  return runAttack(job, corpus);
};

test("a crowd on a clock has its start here too: its versions are a crowd's, and the step at first is another", async () => {
  const crowd = { rule: "mean", attack: undefined, fraction: 0, sharding: "iid", seed: 1 } as const;
  const { crowds, versions } = await runAttack(
    { ...crowd, volunteers: 10, tokens: 12_000, rounds: "clock" },
    corpus,
  );
  expect(versions).toBeGreaterThan(1);
  expect(crowds).toBe(versions);
}, 60_000);

test("A14: deltas a hundred times too large leave a real training within 3% of a clean one; plain mean, the control, fails", async () => {
  const { loss: clean } = await under("mean", undefined);
  const held = await under("default", "scaling ×100");
  expect(100 * (held.loss / clean - 1)).toBeLessThanOrEqual(BOUNDS.lossAt20);
  expect((100 * held.honest.refused) / held.honest.deltas).toBeLessThanOrEqual(BOUNDS.honestLostAttacked);
  expect((await under("mean", "scaling ×100")).loss).toBeGreaterThan(1.05 * clean);
}, 240_000);

test("A15: a volunteer that trains one step of five, except of tickets that can be recomputed, keeps hardly any credit; under plain mean, the control, all of it", async () => {
  const found = await under("default", "under-training");
  expect(100 * creditShare(found)).toBeLessThanOrEqual(BOUNDS.creditOfRiders);
  expect(found.honest.refused).toBe(0);
  expect(creditShare(await under("mean", "under-training"))).toBe(1);
}, 240_000);
