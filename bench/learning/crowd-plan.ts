import { parseSettings } from "../../server/run/settings.ts";
import type { CorpusName } from "./corpus.ts";
import { type BoundJob, type CrowdJob, MODELS, type ModelName } from "./job.ts";
import { RECIPES } from "./recipes.ts";
import type { CrowdScenario } from "./scenarios.ts";

export const TARGETS = ["early", "deep"] as const;
export type Target = (typeof TARGETS)[number];

/** What is asked of the table of times. */
export interface WantedCrowds {
  readonly models: readonly ModelName[];
  readonly scenarios: readonly CrowdScenario[];
  readonly recipes: readonly string[];
  readonly volunteers: readonly number[];
  readonly targets: readonly Target[];
  readonly corpus: CorpusName;
  readonly seeds: number;
  /** Tokens a run at most; undefined for those of {@link tokensOf}. */
  readonly tokens: number | undefined;
}

/** The recipe that all are compared with, one volunteer of it in the scenario calm. */
export const REFERENCE = "turns";

/** Held-out loss, nats a byte, of the early target: the lowest that 1 to 64 volunteers reached in earlier releases. */
const EARLY: Readonly<Record<ModelName, number>> = { S: 1.97, M: 1.89 };

/** Peak rate of the bound's Muon; docs/LEARNING.md has the others that were tried. */
const BOUND_RATE: Readonly<Record<ModelName, number>> = { S: 1e-2, M: 5e-3 };
const BOUND_BUDGET: Readonly<Record<ModelName, number>> = { S: 2_883_584, M: 2_883_584 };

/**
 * Tokens of a run, which its schedule ends at. The deep target is where one volunteer on turns is after the first of these.
 * On a clock few, with Muon inside, need less text for it, and many need more.
 */
function tokensOf(recipe: string, volunteers: number): number {
  if (recipe === REFERENCE) return volunteers < 64 ? 4_194_304 : 9_437_184;
  if (volunteers < 8) return 2_883_584;
  return volunteers < 64 ? 4_194_304 : 9_437_184;
}

/** Model M takes hours: its deep target is asked of few, for one seed. */
const isDeepAsked = (model: ModelName, volunteers: number, seed: number): boolean =>
  model === "M" ? seed === 1 && (volunteers === 1 || volunteers === 64) : volunteers <= 64;

const seedsOf = ({ seeds }: WantedCrowds): number[] => Array.from({ length: seeds }, (_, i) => i + 1);

/** The runs that all others are compared with. What they end at is the deep target of their model and seed. */
export function planReferences(wanted: WantedCrowds): CrowdJob[] {
  const deep = wanted.targets.includes("deep");
  return wanted.models.flatMap((model) =>
    seedsOf(wanted).map((seed) => {
      const toTheEnd = deep && isDeepAsked(model, 1, seed);
      const asked = { model, seed, recipe: REFERENCE, scenario: "calm", volunteers: 1 } as const;
      return crowdJob({ ...asked, targets: toTheEnd ? [EARLY[model], "end"] : [EARLY[model]] }, wanted);
    }),
  );
}

/** All other runs, seed after seed, so that a bench cut short has whole rows; `deepOf` is what references ended at. */
export function planCrowds(
  wanted: WantedCrowds,
  deepOf: (model: ModelName, seed: number) => number | undefined,
): CrowdJob[] {
  const jobs = wanted.models.flatMap((model) =>
    seedsOf(wanted).flatMap((seed) =>
      wanted.scenarios.flatMap((scenario) =>
        wanted.volunteers.flatMap((volunteers) =>
          wanted.recipes.map((recipe) => {
            const targets = targetsOf(model, deepOf(model, seed), isDeepAsked(model, volunteers, seed));
            return crowdJob({ model, seed, scenario, volunteers, recipe, targets }, wanted);
          }),
        ),
      ),
    ),
  );
  return jobs.filter(({ recipe, scenario, volunteers }) => !isReference(recipe, scenario, volunteers));
}

/** The bounds, by model and seed. */
export function planBounds(
  wanted: WantedCrowds,
  deepOf: (model: ModelName, seed: number) => number | undefined,
): BoundJob[] {
  return wanted.models.flatMap((model) =>
    seedsOf(wanted).map((seed) => ({
      kind: "bound" as const,
      model,
      corpus: wanted.corpus,
      tokens: BOUND_BUDGET[model],
      seed,
      rate: BOUND_RATE[model],
      targets: targetsOf(model, deepOf(model, seed), true),
    })),
  );
}

export const isReference = (recipe: string, scenario: string, volunteers: number): boolean =>
  recipe === REFERENCE && scenario === "calm" && volunteers === 1;

/** Whether an earlier bench's run is one of today's. */
export function isCurrentCrowd(job: CrowdJob | BoundJob): boolean {
  if (job.kind === "bound")
    return job.rate === BOUND_RATE[job.model] && job.tokens === BOUND_BUDGET[job.model];
  return JSON.stringify(job) === JSON.stringify(crowdJob(job, job));
}

function targetsOf(model: ModelName, deep: number | undefined, isAsked: boolean): BoundJob["targets"] {
  return deep !== undefined && isAsked ? [EARLY[model], deep] : [EARLY[model]];
}

function crowdJob(
  asked: Pick<CrowdJob, "model" | "seed" | "recipe" | "scenario" | "volunteers" | "targets">,
  {
    corpus,
    tokens = tokensOf(asked.recipe, asked.volunteers),
  }: { corpus: CorpusName; tokens: number | undefined },
): CrowdJob {
  const { model, seed, recipe, scenario, volunteers, targets } = asked;
  const settings = parseSettings({
    ...RECIPES[recipe],
    model: MODELS[model].model,
    seed,
    tokenBudget: tokens,
  });
  const run = { kind: "crowd", model, corpus, seed, recipe, scenario, volunteers } as const;
  return { ...run, even: true, tokens, targets, settings };
}
