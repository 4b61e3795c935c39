import { expect, test } from "vitest";
import type { AttackName } from "../bench/attacks/attacks.ts";
import { attackCorpus } from "../bench/attacks/corpus.ts";
import type { BenchRule } from "../bench/attacks/job.ts";
import { runAttack } from "../bench/attacks/swarm.ts";

/**
 * One cell of `bench -- attacks`, small: ten volunteers that train for real, two of whom attack. The whole grid is in
 * docs/SECURITY.md.
 */
const corpus = await attackCorpus();

const lossUnder = async (rule: BenchRule, attack: AttackName | undefined): Promise<number> => {
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
  return (await runAttack(job, corpus)).loss;
};

test("A14: deltas a hundred times too large leave a real training within 5% of a clean one; plain mean, the control, fails", async () => {
  const clean = await lossUnder("mean", undefined);
  expect(await lossUnder("default", "scaling ×100")).toBeLessThan(1.05 * clean);
  expect(await lossUnder("mean", "scaling ×100")).toBeGreaterThan(1.05 * clean);
}, 240_000);
