/**
 * The training step against its peers, in one run: tokens a second, and only where the numbers agree.
 * `npm run bench -- engine [--json] [--short] [--only CONFIG/DEVICE]…`
 * Prints a table; with `--json` one JSON object is the last line. Exits 1 where a turn or a parity gate failed.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { BATCH, CONFIGS } from "../client/bench/workload.ts";
import { chromiumHost, type Host, nodeHost, TurnFailed } from "./engine/hosts.ts";
import type { Runtime } from "./engine/job.ts";
import { GROUP_NAMES, planRaces, type Race } from "./engine/plan.ts";
import { type Outcome, type Row, rowsOf, type Taken } from "./engine/rows.ts";

interface Flags {
  readonly json: boolean;
  readonly short: boolean;
  readonly only: string[];
}

/** Exits with 2 and what would be right. */
function refuse(reason: string): never {
  console.error(
    `${reason}\nusage: npm run bench -- engine [--json] [--short] [--only CONFIG/DEVICE]…\n` +
      `CONFIG/DEVICE: ${GROUP_NAMES.join(", ")}`,
  );
  process.exit(2);
}

function flagsOf(args: string[]): Flags {
  const options = {
    json: { type: "boolean", default: false },
    short: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] as string[] },
  } as const;
  try {
    const { values } = parseArgs({ args, options, allowPositionals: false });
    const { json, short, only } = values;
    const unknown = only.find((name) => !GROUP_NAMES.includes(name));
    if (unknown !== undefined) refuse(`--only ${unknown}: there is no such config and device`);
    return { json, short, only };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

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

const flags = flagsOf(process.argv.slice(2));
const hosts = new Map<Runtime, Host>();
const rows: Row[] = [];
const report: string[] = [];
let failures = 0;
try {
  for (const race of planRaces(flags.only, flags.short)) {
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
console.log([...report, "", HEADINGS, ...rows.map(line)].join("\n"));
if (flags.json) console.log(JSON.stringify({ rows }));
process.exitCode = failures > 0 || rows.some(({ parity }) => !parity) ? 1 : 0;
