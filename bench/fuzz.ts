/**
 * Ten minutes of changed bytes for every decoder, and what they cost.
 * `npm run bench -- fuzz [--json] [--minutes N] [--seed N]`
 * The last line is one JSON object; exits 1 where a decoder threw anything but a refusal.
 */
import { parseArgs } from "node:util";
import { fuzz } from "../test/harness/fuzz.ts";

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
});
const { runs, crashes, slowestMs, largestBytes } = await fuzz(
  60_000 * Number(flags.minutes),
  Number(flags.seed),
);
const rssMiB = Math.round(process.resourceUsage().maxRSS / 1_024);
for (const crash of crashes) console.log(`CRASH ${crash}`);
console.log(
  `${runs} inputs from seed ${flags.seed}; slowest ${slowestMs.toFixed(0)} ms; ` +
    `at most ${Math.round(largestBytes / 1_024)} KiB for one; memory ${rssMiB} MiB at most`,
);
console.log(
  JSON.stringify({ runs, crashes: crashes.length, slowestMs: Math.round(slowestMs), largestBytes, rssMiB }),
);
process.exitCode = crashes.length > 0 ? 1 : 0;
