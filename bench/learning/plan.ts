import { parseSettings } from "../../server/run/settings.ts";
import type { CorpusName } from "./corpus.ts";
import { isCurrentCrowd } from "./crowd-plan.ts";
import { type Job, MODELS, type ModelName, type SwarmJob, type SyncJob } from "./job.ts";
import { RECIPES } from "./recipes.ts";
import type { ScenarioName } from "./scenarios.ts";

/** What is asked of the bench. */
export interface Wanted {
  readonly models: readonly ModelName[];
  readonly scenarios: readonly ScenarioName[];
  readonly recipes: readonly string[];
  readonly corpus: CorpusName;
  readonly seeds: number;
  /** Whether to run synchronous Muon too. */
  readonly muon: boolean;
  /** Tokens a run; undefined for the model's own number. */
  readonly tokens: number | undefined;
}

/** Tokens a run, and the scenarios that are asked of each model. */
const FULL: Readonly<Record<ModelName, { tokens: number; scenarios: readonly ScenarioName[] }>> = {
  S: { tokens: 4_194_304, scenarios: ["homogeneous", "churn", "fifty", "dropped"] },
  M: { tokens: 8_388_608, scenarios: ["churn", "sparse"] },
};

/**
 * Peak rates of the synchronous baselines at each model's number of tokens, each the best of its grid
 * (docs/LEARNING.md has the losses): measured by `--tune`.
 */
const SYNC_RATES: Readonly<Record<SyncJob["optimizer"], Readonly<Record<ModelName, number>>>> = {
  adamw: { S: 5e-3, M: 3.5e-3 },
  muon: { S: 1e-2, M: 5e-3 },
};

/** The grids of `--tune`. */
const GRIDS = { adamw: [1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 8e-3], muon: [2e-3, 5e-3, 1e-2, 2e-2] };

/** All runs of the tables: each swarm's, and the synchronous ones that they are paired with. */
export function planTables(wanted: Wanted): Job[] {
  return wanted.models.flatMap((model) => {
    const tokens = wanted.tokens ?? FULL[model].tokens;
    const seeds = Array.from({ length: wanted.seeds }, (_, i) => i + 1);
    const scenarios = FULL[model].scenarios.filter((name) => wanted.scenarios.includes(name));
    const common = { model, corpus: wanted.corpus, tokens };
    const sync = (optimizer: SyncJob["optimizer"], seed: number): SyncJob => ({
      kind: "sync",
      optimizer,
      rate: SYNC_RATES[optimizer][model],
      seed,
      ...common,
    });
    // Seed after seed, so that a bench cut short has pairs.
    const runs = seeds.flatMap((seed) => [
      sync("adamw", seed),
      ...scenarios.flatMap((scenario) =>
        wanted.recipes.map((recipe) => swarmJob({ recipe, scenario, seed, ...common })),
      ),
      ...(wanted.muon ? [sync("muon", seed)] : []),
    ]);
    return scenarios.length === 0 ? [] : runs;
  });
}

/** The runs that find the synchronous rates: one seed. */
export function planTuning(wanted: Wanted): SyncJob[] {
  return wanted.models.flatMap((model) =>
    (["adamw", "muon"] as const).flatMap((optimizer) =>
      GRIDS[optimizer].map(
        (rate): SyncJob => ({
          kind: "sync",
          optimizer,
          rate,
          model,
          corpus: wanted.corpus,
          tokens: wanted.tokens ?? FULL[model].tokens,
          seed: 1,
        }),
      ),
    ),
  );
}

/** Whether a run that an earlier bench made is one of today's: a swarm's settings and a baseline's rate are of its own time. */
export function isCurrent(job: Job): boolean {
  if (job.kind === "crowd" || job.kind === "bound") return isCurrentCrowd(job);
  if (job.kind === "sync") return job.rate === SYNC_RATES[job.optimizer][job.model];
  const { kind: _, settings: __, ...asked } = job;
  return JSON.stringify(job) === JSON.stringify(swarmJob(asked));
}

/** A job with the complete settings in it, so that a result says what made it whatever the defaults become. */
function swarmJob(job: Omit<SwarmJob, "kind" | "settings">): SwarmJob {
  const { model, batch } = MODELS[job.model];
  const sparse = job.scenario === "sparse" ? RECIPES["topk-128"] : {};
  const settings = parseSettings({
    ...sparse,
    ...RECIPES[job.recipe],
    model,
    batch,
    seed: job.seed,
    tokenBudget: job.tokens,
  });
  return { kind: "swarm", ...job, settings };
}
