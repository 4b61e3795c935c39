/**
 * Does the run learn though some of its volunteers attack it or ride along? Real training of a tiny model through
 * the product's reducer, trust rules, audits and merge, under the attacks of docs/SECURITY.md, against plain mean.
 * `npm run bench -- attacks [--json] [--short] [--clock] [--rule NAME]… [--attack NAME]… [--fraction F]… [--sharding iid|skewed]… [--seed N]…`
 * `[--processes N] [--tokens N] [--results FILE] [--document]`. Outcomes are appended to the results' file as they come, a line each;
 * what is in it already is not run again, so that the grid can be made in parts.
 * Equal merged tokens in every run, but for those of nine Sybils and one honest volunteer, which are shorter. Where no attack or
 * fraction is named there are those as well, and what audits are to runs of 8, 64 and 500 volunteers, on a virtual clock. `--clock` has
 * sixteen volunteers on a clock, a crowd with its start, and no such runs; all others are ten on turns. With `--json` the last line is one JSON object. `--document` runs nothing: it writes the tables of docs/SECURITY.md from the results'
 * file, bench/results/attacks.jsonl where none is named. For new figures, remove that file and run `--short --results` with it.
 */
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ATTACK_NAMES } from "./attacks/attacks.ts";
import { auditRows } from "./attacks/audit-rows.ts";
import { BENCH_RULES, honestOf, type Job, type Outcome, SHARDINGS } from "./attacks/job.ts";
import { Results } from "./attacks/results.ts";
import { reportOf } from "./attacks/rows.ts";
import { tablesOf, withTables } from "./attacks/tables.ts";
import { benchFlags, countOf, namedOf, refuse } from "./lib/flags.ts";
import { runAll } from "./lib/pool.ts";

const flags = benchFlags({
  short: { type: "boolean", default: false },
  clock: { type: "boolean", default: false },
  document: { type: "boolean", default: false },
  rule: { type: "string", multiple: true },
  attack: { type: "string", multiple: true },
  fraction: { type: "string", multiple: true },
  sharding: { type: "string", multiple: true },
  seed: { type: "string", multiple: true },
  results: { type: "string" },
  processes: { type: "string", default: String(availableParallelism()) },
  tokens: { type: "string", default: "200000" },
});

const DOCUMENT = join(import.meta.dirname, "../docs/SECURITY.md");
if (flags.document) {
  const kept = await Results.open(flags.results ?? join(import.meta.dirname, "results/attacks.jsonl"));
  await writeFile(DOCUMENT, withTables(await readFile(DOCUMENT, "utf8"), tablesOf(kept)));
  process.exit(0);
}

const shareOf = (given: string): number => {
  const value = Number(given);
  return value > 0 && value < 1 ? value : refuse(`--fraction ${given}: not a number between 0 and 1`);
};

/** Of a run on a clock: enough for a crowd, whatever attackers leave of it. */
const CROWD = 16;
const VOLUNTEERS = flags.clock ? CROWD : 10;
const rules = namedOf("rule", flags.rule ?? (flags.short ? ["default", "mean"] : BENCH_RULES), BENCH_RULES);
const attacks = namedOf("attack", flags.attack ?? ATTACK_NAMES, ATTACK_NAMES);
const fractions = flags.fraction?.map(shareOf) ?? (flags.short ? [0.2] : [0.1, 0.2, 0.3]);
const shardings = namedOf("sharding", flags.sharding ?? (flags.short ? ["skewed"] : SHARDINGS), SHARDINGS);
const seeds = flags.seed?.map((seed) => countOf("seed", seed)) ?? (flags.short ? [1] : [1, 2, 3]);
const common = {
  volunteers: VOLUNTEERS,
  tokens: countOf("tokens", flags.tokens),
  ...(flags.clock && { rounds: "clock" as const }),
};
const processes = countOf("processes", flags.processes);
const whole =
  [flags.attack, flags.fraction, flags.rule].every((given) => given === undefined) && !flags.clock;
/** Nine of ten are Sybils, which come under a new key with each delta; many of their versions count for little. */
const SYBILS = { fraction: 0.9, tokens: 100_000, attacks: ["sybils", "new-key garbage"] } as const;

const jobs: Job[] = [];
for (const sharding of shardings) {
  for (const seed of seeds) {
    // Plain mean without attackers is what all is measured against: of all volunteers, and of the honest alone.
    for (const fraction of fractions) {
      const volunteers = honestOf({ volunteers: VOLUNTEERS, fraction });
      const alone = { ...common, volunteers, attack: undefined, fraction: 0, sharding, seed } as const;
      jobs.push({ ...alone, rule: "mean" });
      // A crowd's first steps are so long that clips count, whoever is honest: so it has a second measure.
      if (flags.clock) jobs.push({ ...alone, rule: "default" });
    }
    for (const rule of new Set([...rules, "mean" as const])) {
      jobs.push({ ...common, rule, attack: undefined, fraction: 0, sharding, seed });
    }
    for (const rule of rules) {
      for (const attack of attacks) {
        for (const fraction of fractions) jobs.push({ ...common, rule, attack, fraction, sharding, seed });
      }
    }
  }
}

for (const sharding of whole ? shardings : []) {
  for (const seed of seeds) {
    const { fraction, tokens } = SYBILS;
    const about = { tokens, sharding, seed, volunteers: VOLUNTEERS };
    const clean = { ...about, rule: "mean", attack: undefined, fraction: 0 } as const;
    jobs.push(clean, { ...clean, volunteers: honestOf({ ...about, fraction }) });
    for (const attack of SYBILS.attacks) jobs.push({ ...about, rule: "default", attack, fraction });
  }
}

const results = await Results.open(flags.results);
const missing = jobs.filter((job) => !results.has(job));
let done = jobs.length - missing.length;
const child = join(import.meta.dirname, "attacks/child.ts");
await runAll<Job, Outcome>(child, missing, processes, (outcome) => {
  results.add(outcome);
  const { job, loss, seconds, honest, attackers } = outcome;
  const what = `${job.rule}: ${job.attack ?? "nobody attacks"} at ${job.fraction}, ${job.sharding}`;
  console.error(
    `${++done} of ${jobs.length}: ${what}, seed ${job.seed}: loss ${loss.toFixed(3)}, ` +
      `honest refused ${honest.refused} of ${honest.deltas}, attackers ${attackers.refused} of ` +
      `${attackers.deltas} (${seconds.toFixed(0)} s)`,
  );
});
const report = reportOf(results.of(jobs));
const audits = whole ? (results.audits ?? (await auditRows())) : [];
if (whole && results.audits === undefined) results.addAudits(audits);
console.table(report.rows);
if (audits.length > 0) console.table(audits);
if (flags.json) console.log(JSON.stringify({ ...report, audits }));
