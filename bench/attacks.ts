/**
 * Does the run learn though some of its volunteers attack it or ride along? Real training of a tiny model through
 * the product's reducer, trust rules, audits and merge, under the attacks of docs/SECURITY.md, against plain mean.
 * `npm run bench -- attacks [--short] [--json] [--rule NAME]… [--attack NAME]… [--processes N] [--tokens N]`
 * Equal merged tokens in every run. The last line is one JSON object.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ATTACK_NAMES } from "./attacks/attacks.ts";
import { BENCH_RULES, type Job, type Outcome } from "./attacks/job.ts";
import { reportOf } from "./attacks/rows.ts";
import { runAll } from "./pool.ts";

const { values: flags } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    rule: { type: "string", multiple: true },
    attack: { type: "string", multiple: true },
    processes: { type: "string", default: String(availableParallelism()) },
    tokens: { type: "string", default: "200000" },
  },
});

const VOLUNTEERS = 10;
const wantedRules = flags.rule ?? (flags.short ? ["default", "mean"] : BENCH_RULES);
const rules = BENCH_RULES.filter((rule) => wantedRules.includes(rule));
const attacks = ATTACK_NAMES.filter((attack) => flags.attack?.includes(attack) ?? true);
const fractions = flags.short ? [0.2] : [0.1, 0.2, 0.3];
const shardings = flags.short ? (["skewed"] as const) : (["iid", "skewed"] as const);
const seeds = flags.short ? [1] : [1, 2, 3];
const common = { volunteers: VOLUNTEERS, tokens: Number(flags.tokens) };

const jobs: Job[] = [];
for (const sharding of shardings) {
  for (const seed of seeds) {
    // Plain mean without attackers is what all is measured against.
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

let done = 0;
const child = join(import.meta.dirname, "attacks/child.ts");
const outcomes = await runAll<Job, Outcome>(child, jobs, Number(flags.processes), (outcome) => {
  const { job, loss, seconds, honest, attackers } = outcome;
  const what = `${job.rule}: ${job.attack ?? "nobody attacks"} at ${job.fraction}, ${job.sharding}`;
  console.error(
    `${++done} of ${jobs.length}: ${what}, seed ${job.seed}: loss ${loss.toFixed(3)}, ` +
      `honest refused ${honest.refused} of ${honest.deltas}, attackers ${attackers.refused} of ` +
      `${attackers.deltas} (${seconds.toFixed(0)} s)`,
  );
});
const report = reportOf(outcomes);
console.table(report.rows);
console.log(JSON.stringify(report));
