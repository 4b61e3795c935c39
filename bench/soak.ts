/**
 * Does the server find fault with honest volunteers of a tiny run? Real training on the product's run, audits and
 * roll-backs, by clients that are not ours (docs/SECURITY.md).
 * `npm run bench -- soak [--json] [--deltas N] [--volunteers N]… [--width N]… [--seeds N] [--rate X] [--processes N]`
 * `--rate` is a learning rate in place of the default: one too high for the model makes a run that does not learn.
 * With `--json` the last line is one JSON object, {deltas, refused, struck, quarantined, …} over all soaks. Ends with
 * exit code 1 where anybody was found bad.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { benchFlags, countOf, refuse } from "./lib/flags.ts";
import { runAll } from "./lib/pool.ts";
import type { Soak, Soaked } from "./soak/soak.ts";

const flags = benchFlags({
  deltas: { type: "string", default: "500" },
  volunteers: { type: "string", multiple: true, default: ["1", "3"] as string[] },
  width: { type: "string", multiple: true, default: ["16", "32"] as string[] },
  seeds: { type: "string", default: "2" },
  rate: { type: "string" },
  processes: { type: "string", default: String(availableParallelism()) },
});
const rateOf = (given: string): number => {
  const rate = Number(given);
  return rate > 0 && rate <= 1 ? rate : refuse(`--rate ${given}: not a number above 0 and at most 1`);
};
const deltas = countOf("deltas", flags.deltas);
const seeds = countOf("seeds", flags.seeds);
const processes = countOf("processes", flags.processes);
const learningRate = flags.rate === undefined ? undefined : rateOf(flags.rate);
const soaks = flags.width.flatMap((width) =>
  flags.volunteers.flatMap((volunteers) =>
    Array.from({ length: seeds }, (_, i): Soak => {
      const model = { layers: 1, heads: 2, width: evenOf(countOf("width", width)), context: 32 };
      const run = { model, ...(learningRate !== undefined && { learningRate }) };
      return { seed: i + 1, volunteers: countOf("volunteers", volunteers), deltas, run };
    }),
  ),
);

function evenOf(width: number): number {
  return width % 2 === 0 ? width : refuse(`--width ${width}: not a multiple of two heads`);
}

const child = join(import.meta.dirname, "soak/child.ts");
const outcomes = await runAll<Soak, Soaked>(child, soaks, processes, (soaked) =>
  console.error(JSON.stringify(soaked)),
);
const sum = (of: (soaked: Soaked) => number) => outcomes.reduce((total, one) => total + of(one), 0);
const total = {
  deltas: sum((one) => one.deltas),
  refused: sum((one) => one.refused),
  struck: sum((one) => one.struck),
  quarantined: sum((one) => one.quarantined),
  rollbacks: sum((one) => one.rollbacks),
};
console.table(outcomes.map(({ verdicts, ...one }, i) => ({ ...soaks[i], run: undefined, ...one })));
console.log(flags.json ? JSON.stringify({ ...total, soaks: outcomes }) : total);
if (total.struck > 0) process.exitCode = 1;
