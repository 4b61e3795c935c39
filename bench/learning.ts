/**
 * Does the swarm learn as well as one machine? The product's reducer, merge, codecs and engine under a virtual
 * clock, against synchronous AdamW and Muon at equal tokens (docs/LEARNING.md).
 * `npm run bench -- learning [--short] [--json] [--model S|M]… [--only SCENARIO]… [--recipe NAME]… [--seeds N]
 *  [--tokens N] [--corpus NAME] [--processes N] [--clock] [--tune] [--resume] [--out NAME]`
 * Prints tables; writes bench/results/NAME.json and plots beside it; with `--json` one JSON object comes last.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { CORPORA } from "./learning/corpus.ts";
import { crowdsOf, tableOfCrowds } from "./learning/crowds.ts";
import { type Job, MODELS, type ModelName, type Outcome } from "./learning/job.ts";
import { isCurrent, planCrowds, planTables, planTuning, type Wanted } from "./learning/plan.ts";
import { RECIPES } from "./learning/recipes.ts";
import { readRuns, writeResults } from "./learning/results.ts";
import { rowsOf } from "./learning/rows.ts";
import { SCENARIOS, type ScenarioName } from "./learning/scenarios.ts";
import { tableOf } from "./learning/table.ts";
import { benchFlags, countOf, namedOf, refuse } from "./lib/flags.ts";
import { runAll } from "./lib/pool.ts";

const flags = benchFlags({
  short: { type: "boolean", default: false },
  clock: { type: "boolean", default: false },
  tune: { type: "boolean", default: false },
  resume: { type: "boolean", default: false },
  model: { type: "string", multiple: true },
  only: { type: "string", multiple: true },
  recipe: { type: "string", multiple: true, default: ["default"] as string[] },
  seeds: { type: "string" },
  tokens: { type: "string" },
  corpus: { type: "string", default: "sotu" },
  processes: { type: "string" },
  out: { type: "string" },
});

const count = (flag: string, given: string | undefined) =>
  given === undefined ? undefined : countOf(flag, given);
const keys = <T extends string>(record: Readonly<Record<T, unknown>>) => Object.keys(record) as T[];
const { short } = flags;
const wanted: Wanted = {
  models: namedOf<ModelName>("model", flags.model ?? (short ? ["S"] : keys(MODELS)), keys(MODELS)),
  scenarios: namedOf<ScenarioName>(
    "only",
    flags.only ?? (short ? ["homogeneous", "churn"] : keys(SCENARIOS)),
    keys(SCENARIOS),
  ),
  recipes: namedOf("recipe", flags.recipe, keys(RECIPES)),
  corpus: namedOf("corpus", [flags.corpus], CORPORA)[0]!,
  seeds: count("seeds", flags.seeds) ?? (short ? 2 : 6),
  tokens: count("tokens", flags.tokens),
  muon: !short,
};
const processes = count("processes", flags.processes) ?? availableParallelism();
const out = flags.out ?? (short ? "learning-short" : "learning");
if (!/^[\w.-]{1,64}$/.test(out)) refuse(`--out ${out}: a name of letters, digits, dots and dashes, no path`);

// Swarms of other settings would be averaged with today's.
const known = flags.resume ? readRuns(out).filter(({ job }) => isCurrent(job)) : [];
/** All that was run, or read from an earlier bench; what is new is written at once. */
const all = new Map(known.map((outcome) => [JSON.stringify(outcome.job), outcome]));

/** The jobs' outcomes, making those that are not there yet. */
async function outcomesOf(jobs: readonly Job[]): Promise<Outcome[]> {
  const missing = jobs.filter((job) => !all.has(JSON.stringify(job)));
  let done = 0;
  const child = join(import.meta.dirname, "learning/child.ts");
  await runAll<Job, Outcome>(child, missing, processes, (outcome) => {
    const { job, loss, seconds } = outcome;
    all.set(JSON.stringify(job), outcome);
    if (!flags.tune) save();
    const what =
      job.kind === "sync" ? `sync ${job.optimizer} at ${job.rate}` : `${job.recipe} ${job.scenario}`;
    const progress = `${++done} of ${missing.length}`;
    console.error(
      `${progress}: ${job.model} ${what}, seed ${job.seed}: ${loss.toFixed(4)} (${seconds.toFixed(0)} s)`,
    );
  });
  return jobs.flatMap((job) => all.get(JSON.stringify(job)) ?? []);
}

function save(): string[] {
  const outcomes = [...all.values()];
  return writeResults(out, rowsOf(outcomes), crowdsOf(outcomes), outcomes);
}

if (flags.tune) {
  const tuned = (await outcomesOf(planTuning(wanted))).flatMap(({ job, loss }) =>
    job.kind === "sync" ? [{ model: job.model, optimizer: job.optimizer, rate: job.rate, loss }] : [],
  );
  for (const row of tuned) {
    console.log(`${row.model} ${row.optimizer} at ${row.rate}: ${row.loss.toFixed(4)}`);
  }
  if (flags.json) console.log(JSON.stringify({ tuned }));
  process.exit(0);
}
const rows = rowsOf(await outcomesOf(planTables(wanted)));
const crowds = flags.clock
  ? crowdsOf(
      await outcomesOf(wanted.models.flatMap((model) => planCrowds(model, wanted.corpus, wanted.tokens))),
    )
  : [];
console.log(tableOf(rows));
if (crowds.length > 0) console.log(`\n${tableOfCrowds(crowds)}`);
console.log(`\nwritten: ${save().join(", ")}`);
if (flags.json) console.log(JSON.stringify({ rows, crowds }));
