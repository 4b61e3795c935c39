import type { ModelName, Outcome, SwarmJob } from "./job.ts";

/** One line of the table: a recipe in a scenario, over its seeds. */
export interface Row {
  readonly recipe: string;
  readonly scenario: string;
  readonly model: ModelName;
  readonly tokens: number;
  readonly seeds: number;
  /** Mean held-out loss, and that of synchronous AdamW on the same seeds at equal tokens. */
  readonly loss: number;
  readonly lossSync: number;
  /** 100 × (loss ÷ lossSync − 1): the mean over paired seeds, and its standard error (null for one seed). */
  readonly gapPercent: number;
  readonly gapError: number | null;
  /** The same against synchronous Muon; null where it was not run. */
  readonly lossMuon: number | null;
  readonly gapMuonPercent: number | null;
  readonly bitsUp: number;
  readonly bitsDown: number;
  readonly bitsJoin: number;
  readonly versions: number;
  readonly goodput: number;
  /** Mean inner steps of a merged delta. */
  readonly steps: number;
}

/** Tables the swarms' outcomes against the synchronous ones among `outcomes`; those without a pair are left out. */
export function rowsOf(outcomes: readonly Outcome[]): Row[] {
  const groups = new Map<string, (Outcome & { job: SwarmJob })[]>();
  for (const outcome of outcomes) {
    const { job } = outcome;
    if (job.kind !== "swarm") continue;
    const name = [job.recipe, job.scenario, job.model, job.corpus, job.tokens].join();
    groups.set(name, [...(groups.get(name) ?? []), { ...outcome, job }]);
  }
  return [...groups.values()].flatMap((group) => {
    const row = rowOf(group, outcomes);
    return row === undefined ? [] : [row];
  });
}

function rowOf(group: readonly (Outcome & { job: SwarmJob })[], all: readonly Outcome[]): Row | undefined {
  const pairs = group.flatMap((swarm) => {
    const sync = pairOf(swarm.job, "adamw", all);
    return sync === undefined ? [] : [{ swarm, sync, muon: pairOf(swarm.job, "muon", all) }];
  });
  const [first] = pairs;
  if (first === undefined) return undefined;
  const { recipe, scenario, model, tokens } = first.swarm.job;
  const of = (value: (pair: (typeof pairs)[number]) => number) => mean(pairs.map(value));
  const gaps = pairs.map(({ swarm, sync }) => 100 * (swarm.loss / sync.loss - 1));
  const againstMuon = pairs.flatMap(({ swarm, muon }) =>
    muon === undefined ? [] : [{ loss: muon.loss, gap: 100 * (swarm.loss / muon.loss - 1) }],
  );
  return {
    recipe,
    scenario,
    model,
    tokens,
    seeds: pairs.length,
    loss: of(({ swarm }) => swarm.loss),
    lossSync: of(({ sync }) => sync.loss),
    gapPercent: mean(gaps),
    gapError: errorOf(gaps),
    lossMuon: againstMuon.length === 0 ? null : mean(againstMuon.map(({ loss }) => loss)),
    gapMuonPercent: againstMuon.length === 0 ? null : mean(againstMuon.map(({ gap }) => gap)),
    bitsUp: of(({ swarm }) => swarm.bitsUp),
    bitsDown: of(({ swarm }) => swarm.bitsDown),
    bitsJoin: of(({ swarm }) => swarm.bitsJoin),
    versions: Math.round(of(({ swarm }) => swarm.versions)),
    goodput: of(({ swarm }) => swarm.goodput),
    steps: of(({ swarm }) => swarm.steps),
  };
}

/** The synchronous run that a swarm's is paired with: same model, corpus, tokens and seed. */
function pairOf({ model, corpus, tokens, seed }: SwarmJob, optimizer: string, all: readonly Outcome[]) {
  return all.find(
    ({ job }) =>
      job.kind === "sync" &&
      job.optimizer === optimizer &&
      job.model === model &&
      job.corpus === corpus &&
      job.tokens === tokens &&
      job.seed === seed,
  );
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Standard error of the mean; null where one value says nothing of it. */
export function errorOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
