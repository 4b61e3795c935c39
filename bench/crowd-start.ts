/**
 * What does it cost an honest crowd that a run's first versions wait for audits (docs/SECURITY.md, A22)? The default run of a tiny
 * model, trained for real by volunteers that all come at once, a step as long as model S's, on a virtual clock. With the wait and
 * without it, beside an auditor as fast as the mean volunteer, one a quarter as fast, and none that ever answers: then all wait
 * for as long as they may.
 * `npm run bench -- crowd-start [--json] [--volunteers N] [--seconds N] [--seeds N] [--processes N]`
 * Prints when the first versions were there, and the held-out loss at 10, 30 and all the seconds watched. With `--json` the last
 * line is one JSON object.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { lossAt, type Start, type Started } from "./crowd-start/start.ts";
import { benchFlags, countOf } from "./lib/flags.ts";
import { runAll } from "./lib/pool.ts";

const flags = benchFlags({
  volunteers: { type: "string", default: "16" },
  seconds: { type: "string", default: "60" },
  seeds: { type: "string", default: "1" },
  processes: { type: "string", default: String(availableParallelism()) },
});

/** Speeds of the auditor, in machines of the crowd's mean; with the last no audit ever comes. */
const AUDITORS = [1, 1 / 4, 0] as const;
/** Versions that the table has the times of. */
const VERSIONS = [1, 2, 3, 4, 5] as const;

const volunteers = countOf("volunteers", flags.volunteers);
const watched = 1_000 * countOf("seconds", flags.seconds);
const seeds = Array.from({ length: countOf("seeds", flags.seeds) }, (_, i) => i + 1);
const starts: Start[] = seeds.flatMap((seed) =>
  AUDITORS.flatMap((auditor) =>
    [true, false].map((waits) => ({ volunteers, seed, waits, auditor, watched })),
  ),
);

const child = join(import.meta.dirname, "crowd-start/child.ts");
const made = await runAll<Start, Started>(child, starts, countOf("processes", flags.processes), (one) => {
  const { start, versions, audits } = one;
  console.error(
    `auditor ${start.auditor}, ${start.waits ? "waits" : "does not wait"}, seed ${start.seed}: ` +
      `${versions.length} versions, ${audits} audits; ` +
      VERSIONS.map((n) => `v${n} ${secondsOf(versions[n - 1]?.ms)} s`).join(", "),
  );
});
console.table(
  made.map((one) => ({
    ...{ auditor: one.start.auditor, waits: one.start.waits, seed: one.start.seed },
    ...Object.fromEntries(VERSIONS.map((n) => [`v${n}, s`, secondsOf(one.versions[n - 1]?.ms)])),
    ...Object.fromEntries(
      [10_000, 30_000, watched].map((ms) => [`loss at ${ms / 1_000} s`, lossAt(one, ms)?.toFixed(3)]),
    ),
    audits: one.audits,
  })),
);
if (flags.json) console.log(JSON.stringify({ starts: made }));

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms / 100) / 10;
}
