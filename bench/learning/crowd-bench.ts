import { isReference, planBounds, planCrowds, planReferences, type WantedCrowds } from "./crowd-plan.ts";
import type { CrowdJob, Job, ModelName, Outcome } from "./job.ts";

/**
 * Makes the runs of the table of times: first one volunteer of "turns" by itself, since what it ends at is the deep
 * target of all others, then these, and the bounds. `outcomesOf` makes runs, or knows them already.
 */
export async function benchCrowds(
  wanted: WantedCrowds,
  outcomesOf: (jobs: readonly Job[]) => Promise<Outcome[]>,
): Promise<Outcome[]> {
  const references = await outcomesOf(planReferences(wanted));
  const deepOf = deepTargets(references);
  const others = await outcomesOf([...planCrowds(wanted, deepOf), ...planBounds(wanted, deepOf)]);
  return [...references, ...others];
}

/** What each model's and seed's reference ended at, where it was run to its end. */
function deepTargets(references: readonly Outcome[]) {
  const ends = new Map<string, number | undefined>();
  for (const { job, curve } of references) {
    if (isWholeReference(job)) ends.set(`${job.model} ${job.seed}`, curve.at(-1)?.loss);
  }
  return (model: ModelName, seed: number): number | undefined => ends.get(`${model} ${seed}`);
}

const isWholeReference = (job: Job): job is CrowdJob =>
  job.kind === "crowd" &&
  isReference(job.recipe, job.scenario, job.volunteers) &&
  job.targets.length === 2 &&
  job.targets[1] === "end";
