/**
 * Fifty real volunteers on one machine: do rounds keep their clock, and how long does a receipt take?
 * `npm run bench -- crowd [--json] [--volunteers N] [--seconds N] [--load N]`
 * `murmuration serve` on the default text and a tiny model, and volunteers that train it for real, each in a process of its own
 * and, to the server, of a network of its own. Together they train `--load` (50) percent of one core: each has its part of that
 * as its share of the time, or it would be its own wait for a core that is measured. Rounds are a second long. A receipt's time
 * is the volunteer's, from the first byte to the answer. The last line of `--json` is one object.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { VersionSummary } from "../protocol/status.ts";
import { type ServerProcess, startServer } from "../test/harness/server-process.ts";
import type { Told } from "./crowd/messages.ts";
import { benchFlags, countOf } from "./lib/flags.ts";

const ROUND_MS = 1_000;
const SETTINGS = {
  model: { layers: 1, heads: 2, width: 32, context: 32 },
  rounds: { seconds: ROUND_MS / 1_000 },
};
/** Milliseconds between two looks at the newest versions, of which the server tells twenty. */
const LOOK_MS = 2_000;
/** Milliseconds that are not measured, once all have sent: measurements of links have come. */
const SETTLE_MS = 10_000;
/** Milliseconds after which a crowd that has not come together never will. */
const GATHER_MS = 180_000;

const flags = benchFlags({
  volunteers: { type: "string", default: "50" },
  seconds: { type: "string", default: "60" },
  load: { type: "string", default: "50" },
});
const count = countOf("volunteers", flags.volunteers);
const seconds = countOf("seconds", flags.seconds);
const share = Math.min(1, countOf("load", flags.load) / 100 / count);

const directory = await mkdtemp(join(tmpdir(), "murmuration-crowd-"));
const volunteers: ChildProcess[] = [];
let server: ServerProcess | undefined;
try {
  const runFile = join(directory, "run.json");
  await writeFile(runFile, JSON.stringify(SETTINGS));
  server = await startServer("--data", join(directory, "data"), "--run", runFile, "--trust-proxy");
  const sent = new Set<number>();
  let receipts: number[] = [];
  const refused = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const child = fork(join(import.meta.dirname, "crowd/volunteer.ts"), [
      ...[server.origin, `10.${i}.0.1`, String(share)],
    ]);
    volunteers.push(child);
    child.on("message", (told: Told) => {
      if (told.type === "refused") refused.set(told.code, (refused.get(told.code) ?? 0) + 1);
      else {
        sent.add(i);
        receipts.push(told.ms);
      }
    });
  }
  for (const ends = performance.now() + GATHER_MS; sent.size < count; await sleep(LOOK_MS)) {
    if (performance.now() > ends) throw new Error(`${sent.size} of ${count} volunteers have sent`);
  }
  await sleep(SETTLE_MS);
  receipts = [];
  const versions = await watch(server, 1_000 * seconds);
  const { rounds, volunteers: present } = await server.status();
  const times = versions.map(({ ms }) => ms).sort((a, b) => a - b);
  receipts.sort((a, b) => a - b);
  const figures = {
    volunteers: present,
    receipts: receipts.length,
    receiptMedianMs: Math.round(at(receipts, 0.5)),
    receiptP99Ms: Math.round(at(receipts, 0.99)),
    roundMs: ROUND_MS,
    versions: versions.length,
    versionMedianMs: at(times, 0.5),
    versionP99Ms: at(times, 0.99),
    deltasAVersion: round(versions.reduce((sum, { deltas }) => sum + deltas, 0) / versions.length),
    late: round(rounds?.lately?.late ?? 0),
    refused: Object.fromEntries(refused),
    load: round(loadavg()[0]!),
  };
  console.log(
    `${count} volunteers, load ${figures.load}: ${figures.receipts} receipts in ${seconds} s, median ${figures.receiptMedianMs} ms, ` +
      `p99 ${figures.receiptP99Ms} ms, longest ${Math.round(at(receipts, 1))} ms`,
  );
  console.log(
    `${figures.versions} versions of ${figures.deltasAVersion} deltas: median ${figures.versionMedianMs} ms, ` +
      `p99 ${figures.versionP99Ms} ms of a round of ${ROUND_MS} ms; late ${figures.late}`,
  );
  if (flags.json) console.log(JSON.stringify(figures));
} finally {
  const ended = volunteers.filter(({ connected }) => connected).map((child) => once(child, "exit"));
  for (const child of volunteers) if (child.connected) child.disconnect();
  await Promise.race([Promise.all(ended), sleep(LOOK_MS)]);
  for (const child of volunteers) child.kill("SIGKILL");
  await server?.end("SIGTERM");
  await rm(directory, { recursive: true, force: true });
}

/** The versions that are published meanwhile. */
async function watch(
  { status }: Pick<ServerProcess, "status">,
  ms: number,
): Promise<readonly VersionSummary[]> {
  const seen = new Map<number, VersionSummary>();
  const first = (await status()).version;
  for (const ends = performance.now() + ms; performance.now() < ends; await sleep(LOOK_MS)) {
    for (const version of (await status()).versions) seen.set(version.version, version);
  }
  return [...seen.values()].filter(({ version }) => version > first);
}

/** The value below which so large a part of a sorted list lies; 0 of an empty one. */
function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
