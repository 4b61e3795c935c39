/**
 * The training step against its peers, in one run: tokens a second, and only where the numbers agree.
 * `npm run bench -- engine [--json] [--short] [--only CONFIG/DEVICE | muon/wasm]…`
 * Prints a table; with `--json` one JSON object is the last line. Exits 1 where a turn or a parity gate failed.
 */
import { loadavg } from "node:os";
import { BATCH, CONFIGS } from "../client/benchmark/workload.ts";
import { chromiumHost, type Host, nodeHost, TurnFailed } from "./engine/hosts.ts";
import type { Runtime } from "./engine/job.ts";
import { muonRows } from "./engine/muon.ts";
import { GROUP_NAMES, planRaces, type Race } from "./engine/plan.ts";
import { type Outcome, type Row, rowsOf, type Taken } from "./engine/rows.ts";
import { benchFlags, namedOf } from "./lib/flags.ts";

const flags = benchFlags({
  short: { type: "boolean", default: false },
  only: { type: "string", multiple: true, default: [] as string[] },
});
const MUON = "muon/wasm";
const only = namedOf("only", flags.only, [...GROUP_NAMES, MUON]);
const races = planRaces(
  only.filter((name) => name !== MUON),
  flags.short,
);

/** Takes all turns of a race one after another: nothing else of ours runs meanwhile. */
async function run(race: Race, host: Host): Promise<Outcome & { failures: number }> {
  const taken: Taken[] = [];
  const failures: string[] = [];
  for (const job of race.jobs) {
    const { contestant, threads, warmups, steps } = job;
    process.stderr.write(`${title(race)}: ${contestant} ×${threads}, ${warmups} + ${steps} steps…\n`);
    try {
      taken.push({ job, turn: await host.take(job) });
    } catch (error) {
      if (!(error instanceof TurnFailed)) throw error;
      failures.push(`FAILED ${error.message}`);
    }
  }
  const { rows, notes } = rowsOf(race, host.runtime, taken);
  return { rows, notes: [...notes, ...failures], failures: failures.length };
}

const title = ({ config, device, runtime }: Race) => `${config}/${device} in ${runtime}`;

const HEADINGS =
  "config  device  threads  runtime                   tokens/s  ÷ jax-js  ÷ tfjs  dispatches  of peak  parity";

function line(row: Row): string {
  const times = (ratio: number | null) => (ratio === null ? "–" : ratio.toFixed(2));
  return [
    row.config.padEnd(6),
    row.device.padEnd(6),
    String(row.threads).padStart(7),
    row.runtime.padEnd(24),
    String(row.tokensPerSecond).padStart(9),
    times(row.ratioToJaxJs).padStart(8),
    times(row.ratioToTfjs).padStart(6),
    String(row.dispatchesPerStep).padStart(10),
    (row.fractionOfPeak === null ? "–" : `${(100 * row.fractionOfPeak).toFixed(0)}%`).padStart(7),
    String(row.parity),
  ].join("  ");
}

const hosts = new Map<Runtime, Host>();
const rows: Row[] = [];
const report: string[] = [];
let failures = 0;
try {
  for (const race of only.length === 1 && only[0] === MUON ? [] : races) {
    let host = hosts.get(race.runtime);
    if (!host) {
      host = race.runtime === "node" ? nodeHost() : await chromiumHost();
      hosts.set(race.runtime, host);
    }
    const outcome = await run(race, host);
    rows.push(...outcome.rows);
    failures += outcome.failures;
    report.push(
      `${title(race)} (load ${loadavg()[0]!.toFixed(1)})`,
      ...outcome.notes.map((note) => `  ${note}`),
    );
  }
} finally {
  for (const host of hosts.values()) await host.close();
}
for (const [name, shape] of Object.entries(CONFIGS))
  report.push(
    `${name}: batch ${BATCH}, ${JSON.stringify(shape).replaceAll(/["{}]/g, "").replaceAll(",", ", ")}`,
  );
const muon = only.length === 0 || only.includes(MUON) ? await muonRows(flags.short) : [];
const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
const muonLines = muon.map(
  ({ model, batch, adamW, muon: ms, share, pace, counts }) =>
    `${model}, ${batch} sequences a step: AdamW ${adamW.toFixed(2)} ms (${percent(pace)} of 4 sequences' tokens a second), ` +
    `Muon ${ms.toFixed(2)} ms, ${percent(share)} of it Newton–Schulz (${percent(counts.flopShare)} of its arithmetic). ` +
    `On WebGPU, where it is ${percent(counts.webgpuShare)} of the arithmetic: ${counts.dispatches.adamW} → ${counts.dispatches.muon} dispatches, ` +
    `${(counts.bytes.adamW / 1e6).toFixed(1)} → ${(counts.bytes.muon / 1e6).toFixed(1)} MB named`,
);
console.log([...report, "", HEADINGS, ...rows.map(line), "", ...muonLines].join("\n"));
if (flags.json) console.log(JSON.stringify({ rows, muon }));
process.exitCode = failures > 0 || rows.some(({ parity }) => !parity) ? 1 : 0;
