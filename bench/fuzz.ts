/**
 * Ten minutes of changed bytes for every decoder, and what they cost.
 * `npm run bench -- fuzz [--json] [--minutes N] [--seed N]`
 * With `--json` the last line is one JSON object; exits 1 where a decoder threw anything but a refusal.
 */
import { fuzz } from "../test/harness/fuzz.ts";
import { benchFlags, countOf } from "./lib/flags.ts";

const flags = benchFlags({
  minutes: { type: "string", default: "10" },
  seed: { type: "string", default: String(Date.now() % 2 ** 31) },
});
const { runs, crashes, slowestMs, largestBytes } = await fuzz(
  60_000 * countOf("minutes", flags.minutes),
  countOf("seed", flags.seed, 0),
);
const rssMiB = Math.round(process.resourceUsage().maxRSS / 1_024);
for (const crash of crashes) console.log(`CRASH ${crash}`);
console.log(
  `${runs} inputs from seed ${flags.seed}; slowest ${slowestMs.toFixed(0)} ms; ` +
    `at most ${Math.round(largestBytes / 1_024)} KiB for one; memory ${rssMiB} MiB at most`,
);
if (flags.json) {
  const figures = { runs, crashes: crashes.length, slowestMs: Math.round(slowestMs), largestBytes, rssMiB };
  console.log(JSON.stringify(figures));
}
process.exitCode = crashes.length > 0 ? 1 : 0;
