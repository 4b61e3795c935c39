/**
 * Do the defaults hold for any size of model and of swarm? Runs that name a model and nothing else, on the product's
 * own default text, under the learning bench's virtual clock (docs/LEARNING.md).
 * `npm run bench -- defaults [--json] [--width N]… [--volunteers N]… [--rule today|before]… [--seeds N] [--tokens N]
 *  [--processes N]`
 * Prints a table; of width 768 only the first steps are made. With `--json` the last line is one JSON object. Ends with
 * exit code 1 where a run of today's defaults does not learn.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { DEFAULT_VOCABULARY } from "../server/corpus/default.ts";
import { type Cell, cellOf, type Row, RULES, rowsOf, WIDTHS, type Width } from "./defaults/job.ts";
import type { Outcome } from "./learning/job.ts";
import { benchFlags, countOf, namedOf } from "./lib/flags.ts";
import { runAll } from "./lib/pool.ts";

const flags = benchFlags({
  width: { type: "string", multiple: true },
  volunteers: { type: "string", multiple: true, default: ["1", "2", "8", "50"] as string[] },
  rule: { type: "string", multiple: true, default: ["today"] as string[] },
  seeds: { type: "string", default: "1" },
  tokens: { type: "string" },
  processes: { type: "string", default: String(availableParallelism()) },
});
const widths = namedOf("width", flags.width ?? WIDTHS, WIDTHS).map((width) => Number(width) as Width);
const swarms = flags.volunteers.map((given) => countOf("volunteers", given));
const rules = namedOf("rule", flags.rule, RULES);
const seeds = countOf("seeds", flags.seeds);
const tokens = flags.tokens === undefined ? undefined : countOf("tokens", flags.tokens);
const processes = countOf("processes", flags.processes);

const cells: Cell[] = [];
for (const width of widths) {
  for (const volunteers of swarms) {
    for (const rule of rules) {
      for (let seed = 1; seed <= seeds; seed++) cells.push(cellOf(width, volunteers, rule, seed, tokens));
    }
  }
}
let done = 0;
const child = join(import.meta.dirname, "defaults/child.ts");
const outcomes = await runAll<Cell, Outcome<Cell>>(
  child,
  cells,
  processes,
  ({ job, loss, versions, curve, seconds }) => {
    const what = `width ${job.width}, ${job.volunteers} volunteers, ${job.rule}, seed ${job.seed}`;
    const course = curve.map((point) => point.loss.toFixed(2)).join(" ");
    const took = `${versions} versions, ${seconds.toFixed(0)} s`;
    console.error(`${++done} of ${cells.length}: ${what}: ${course} → ${loss.toFixed(3)} (${took})`);
  },
);
const rows = rowsOf(outcomes, DEFAULT_VOCABULARY);
console.table(rows.map(shown));
if (flags.json) console.log(JSON.stringify({ rows }));
if (rows.some(({ rule, learns }) => rule === "today" && !learns)) process.exitCode = 1;

function shown(row: Row) {
  const { loss, highest, lowest, ofGuessing } = row;
  const [end, high, low] = [loss, highest, lowest].map((one) => one.toFixed(3));
  return { ...row, loss: end, highest: high, lowest: low, ofGuessing: `${ofGuessing.toFixed(0)}%` };
}
