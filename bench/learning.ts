/**
 * Does the swarm learn as well as one machine? The product's reducer, merge, codecs and engine under a virtual
 * clock, against synchronous AdamW and Muon at equal tokens (docs/LEARNING.md).
 * `npm run bench -- learning [--short] [--json] [--model S|M]… [--only SCENARIO]… [--recipe NAME]… [--seeds N]
 *  [--tokens N] [--corpus NAME] [--processes N] [--tune] [--resume] [--out NAME]`
 * And how much sooner do more volunteers come to a loss?
 * `npm run bench -- learning --clock [--short|--long] [--volunteers N]… [--target early|deep]…` and the flags above
 * Prints tables; writes bench/results/NAME.json and plots beside it; with `--json` one JSON object comes last.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { CORPORA } from "./learning/corpus.ts";
import { benchCrowds } from "./learning/crowd-bench.ts";
import { TARGETS, type Target, type WantedCrowds } from "./learning/crowd-plan.ts";
import { crowdsOf, tableOfCrowds } from "./learning/crowds.ts";
import { type Job, MODELS, type ModelName, type Outcome } from "./learning/job.ts";
import { isCurrent, planTables, planTuning, type Wanted } from "./learning/plan.ts";
import { RECIPES } from "./learning/recipes.ts";
import { commit, readRuns, writeResults } from "./learning/results.ts";
import { rowsOf } from "./learning/rows.ts";
import { CROWD_SCENARIOS, type CrowdScenario, SCENARIOS, type ScenarioName } from "./learning/scenarios.ts";
import { tableOf } from "./learning/table.ts";
import { benchFlags, countOf, namedOf, refuse } from "./lib/flags.ts";
import { runAll } from "./lib/pool.ts";

const flags = benchFlags({
  short: { type: "boolean", default: false },
  long: { type: "boolean", default: false },
  clock: { type: "boolean", default: false },
  tune: { type: "boolean", default: false },
  resume: { type: "boolean", default: false },
  model: { type: "string", multiple: true },
  only: { type: "string", multiple: true },
  recipe: { type: "string", multiple: true },
  volunteers: { type: "string", multiple: true },
  target: { type: "string", multiple: true },
  seeds: { type: "string" },
  tokens: { type: "string" },
  corpus: { type: "string", default: "sotu" },
  processes: { type: "string" },
  out: { type: "string" },
});

const count = (flag: string, given: string | undefined) =>
  given === undefined ? undefined : countOf(flag, given);
const keys = <T extends string>(record: Readonly<Record<T, unknown>>) => Object.keys(record) as T[];
const { short, long, clock } = flags;
if (short && long) refuse("--short and --long: choose one");
if (!clock && (long || flags.volunteers || flags.target)) {
  refuse("--long, --volunteers and --target are for --clock");
}
if (clock && flags.tune) refuse("--clock and --tune: choose one");

/** What both kinds of bench are asked for. */
const common = {
  models: namedOf<ModelName>("model", flags.model ?? (short ? ["S"] : keys(MODELS)), keys(MODELS)),
  corpus: namedOf("corpus", [flags.corpus], CORPORA)[0]!,
  tokens: count("tokens", flags.tokens),
};
const recipesOf = (usual: string[]) => namedOf("recipe", flags.recipe ?? usual, keys(RECIPES));
const seeds = count("seeds", flags.seeds);
const processes = count("processes", flags.processes) ?? availableParallelism();
const out = flags.out ?? ["learning", clock && "clock", short && "short"].filter(Boolean).join("-");
if (!/^[\w.-]{1,64}$/.test(out)) refuse(`--out ${out}: a name of letters, digits, dots and dashes, no path`);

// Swarms of other settings would be averaged with today's.
const known = flags.resume ? readRuns(out).filter(({ job }) => isCurrent(job)) : [];
/** All that was run, or read from an earlier bench; what is new is written at once. */
const all = new Map(known.map((outcome) => [JSON.stringify(outcome.job), outcome]));
const begunAt = commit();

/** The jobs' outcomes, making those that are not there yet. */
async function outcomesOf(jobs: readonly Job[]): Promise<Outcome[]> {
  const missing = jobs.filter((job) => !all.has(JSON.stringify(job)));
  let done = 0;
  const child = join(import.meta.dirname, "learning/child.ts");
  await runAll<Job, Outcome>(child, missing, processes, (outcome) => {
    const { job, loss, seconds } = outcome;
    all.set(JSON.stringify(job), { ...outcome, commit: begunAt });
    if (!flags.tune) save();
    const progress = `${++done} of ${missing.length}`;
    console.error(
      `${progress}: ${job.model} ${titleOf(job)}, seed ${job.seed}: ${loss.toFixed(4)} (${seconds.toFixed(0)} s)`,
    );
  });
  return jobs.flatMap((job) => all.get(JSON.stringify(job)) ?? []);
}

function titleOf(job: Job): string {
  if (job.kind === "bound") return "bound";
  if (job.kind === "sync") return `sync ${job.optimizer} at ${job.rate}`;
  return [job.recipe, job.scenario, job.kind === "crowd" ? job.volunteers : ""].join(" ").trimEnd();
}

function save(): string[] {
  const outcomes = [...all.values()];
  return writeResults(out, clock ? { crowds: crowdsOf(outcomes) } : { rows: rowsOf(outcomes) }, outcomes);
}

/** How much sooner do more volunteers come to a loss? */
async function runClock(): Promise<void> {
  const usual = [1, 4, 16, 64, ...(long ? [256] : [])];
  const wanted: WantedCrowds = {
    ...common,
    scenarios: namedOf<CrowdScenario>(
      "only",
      flags.only ?? (short ? ["calm"] : ["calm", "churn"]),
      CROWD_SCENARIOS,
    ),
    recipes: recipesOf(["default", "turns"]),
    volunteers: flags.volunteers?.map((given) => countOf("volunteers", given)) ?? usual,
    targets: namedOf<Target>("target", flags.target ?? (short ? ["early"] : TARGETS), TARGETS),
    seeds: seeds ?? (short ? 1 : 2),
  };
  const crowds = crowdsOf(await benchCrowds(wanted, outcomesOf));
  console.log(`${tableOfCrowds(crowds)}\n\nwritten: ${save().join(", ")}`);
  if (flags.json) console.log(JSON.stringify({ crowds }));
}

/** Does a swarm learn as well as one machine? Or, with `--tune`, at which rate does one machine learn best? */
async function runTables(): Promise<void> {
  const wanted: Wanted = {
    ...common,
    scenarios: namedOf<ScenarioName>(
      "only",
      flags.only ?? (short ? ["homogeneous", "churn"] : keys(SCENARIOS)),
      keys(SCENARIOS),
    ),
    recipes: recipesOf(["default"]),
    seeds: seeds ?? (short ? 2 : 6),
    muon: !short,
  };
  if (!flags.tune) {
    const rows = rowsOf(await outcomesOf(planTables(wanted)));
    console.log(`${tableOf(rows)}\n\nwritten: ${save().join(", ")}`);
    if (flags.json) console.log(JSON.stringify({ rows }));
    return;
  }
  const tuned = (await outcomesOf(planTuning(wanted))).flatMap(({ job, loss }) =>
    job.kind === "sync" ? [{ model: job.model, optimizer: job.optimizer, rate: job.rate, loss }] : [],
  );
  for (const row of tuned) {
    console.log(`${row.model} ${row.optimizer} at ${row.rate}: ${row.loss.toFixed(4)}`);
  }
  if (flags.json) console.log(JSON.stringify({ tuned }));
}

await (clock ? runClock() : runTables());
