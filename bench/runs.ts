/**
 * Several runs in one process: what an idle default run costs in memory, and how much slower the receipts of quiet runs
 * come while another is under load. `npm run bench -- runs [--json] [--runs N] [--seconds N] [--volunteers N]`
 * The server is `murmuration serve` on a directory of N (50) runs; four of them have rounds of a second and no audits, of
 * which one gets `volunteers` (40) that send as often as they may, from a process of their own, and three get two each.
 * Prints figures; with `--json` the last line is `{runs, baseMiB, perRunMiB, worstReceiptRatio}`.
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runPath } from "../protocol/run-name.ts";
import { openDirectory } from "../server/app/open-directory.ts";
import { addDefaultCorpus } from "../server/corpus/default.ts";
import { runDirectory } from "../server/data-dir/runs.ts";
import { medianOf } from "../server/lib/median.ts";
import { parseSettings } from "../server/run/settings.ts";
import { type ServerProcess, startServer } from "../test/harness/server-process.ts";
import { silentLog } from "../test/harness/tiny-run.ts";
import { benchFlags, countOf } from "./lib/flags.ts";
import { BusyVolunteer } from "./runs/volunteer.ts";

const QUIET = ["quiet-a", "quiet-b", "quiet-c"];
const BUSY = "busy";
/** Of runs whose receipts are timed: made-up deltas would be found bad, and a receipt a second is enough of them. */
const TIMED = { rounds: { seconds: 1 }, trust: { auditShare: 0 } };
/** Milliseconds until memory that was needed at the start only is given back. */
const SETTLE_MS = 5_000;
const MEBIBYTE = 1024 ** 2;

const flags = benchFlags({
  runs: { type: "string", default: "50" },
  seconds: { type: "string", default: "20" },
  volunteers: { type: "string", default: "40" },
});
const count = countOf("runs", flags.runs, QUIET.length + 2);
const seconds = countOf("seconds", flags.seconds);
const volunteers = countOf("volunteers", flags.volunteers);

const directory = await mkdtemp(join(tmpdir(), "murmuration-runs-"));
try {
  const corpus = join(directory, "corpus");
  await addDefaultCorpus(corpus);
  const [one, all] = [join(directory, "one"), join(directory, "all")];
  const idle = Array.from({ length: count - QUIET.length - 1 }, (_, i) => `idle-${i}`);
  await begin(corpus, one, "idle-0", {});
  for (const name of [...QUIET, BUSY]) await begin(corpus, all, name, TIMED);
  for (const name of idle) await begin(corpus, all, name, {});

  const alone = await memoryOf(one, 1);
  const server = await startServer("--data", all);
  try {
    const together = await settled(server, count);
    const perRunMiB = (together - alone) / (count - 1) / MEBIBYTE;
    const baseMiB = alone / MEBIBYTE - perRunMiB;
    console.log(
      `memory: ${baseMiB.toFixed(0)} MiB and ${perRunMiB.toFixed(1)} MiB for each of ${count} idle runs`,
    );

    const quiet = await receipts(server.origin);
    const load = fork(join(import.meta.dirname, "runs/load.ts"), [
      server.origin + runPath(BUSY),
      `${volunteers}`,
    ]);
    let busy: Awaited<ReturnType<typeof receipts>>;
    try {
      await once(load, "message"); // all of them have sent
      busy = await receipts(server.origin);
    } finally {
      await stop(load);
    }
    const ratios = QUIET.map((name) => usual(busy, name) / usual(quiet, name));
    for (const [i, name] of QUIET.entries()) {
      const [before, under] = [quiet.get(name)!, busy.get(name)!];
      console.log(
        `${name}: ${before.length} receipts in ${usual(quiet, name).toFixed(1)} ms at the median; ` +
          `under the other's load ${under.length} in ${usual(busy, name).toFixed(1)} ms, ${ratios[i]!.toFixed(2)} times`,
      );
    }
    const figures = {
      runs: count,
      baseMiB: round(baseMiB),
      perRunMiB: round(perRunMiB),
      worstReceiptRatio: round(Math.max(...ratios)),
    };
    if (flags.json) console.log(JSON.stringify(figures));
  } finally {
    await server.end("SIGTERM");
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

/** Begins a run on a copy of the corpus. */
async function begin(corpus: string, parent: string, name: string, settings: object): Promise<void> {
  const data = runDirectory(parent, name);
  await cp(corpus, data, { recursive: true });
  const stderr = { write: () => {} };
  const opened = await openDirectory(data, { settings: parseSettings(settings), log: silentLog, stderr });
  await opened.close();
}

async function memoryOf(data: string, runs: number): Promise<number> {
  const server = await startServer("--data", data);
  try {
    return await settled(server, runs);
  } finally {
    await server.end("SIGTERM");
  }
}

/** The process's resident bytes once every run's first version is measured. */
async function settled({ origin, pid }: ServerProcess, runs: number): Promise<number> {
  for (let measured = 0; measured < runs; await sleep(1_000)) {
    const { runs: listed } = await (await fetch(`${origin}/api/runs`)).json();
    if (listed.length !== runs) throw new Error(`${listed.length} of ${runs} runs are served`);
    measured = listed.filter(({ heldOut }: { heldOut: unknown[] }) => heldOut.length > 0).length;
  }
  await sleep(SETTLE_MS);
  return 1024 * Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }));
}

/** Milliseconds to each receipt of the quiet runs' volunteers, two a run, over some seconds. */
async function receipts(origin: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const ends = performance.now() + 1_000 * seconds;
  const took = new Map(QUIET.map((name): [string, number[]] => [name, []]));
  const all = QUIET.flatMap((name) =>
    [1, 2].map(async (seed) => {
      const volunteer = await BusyVolunteer.create(origin + runPath(name), seed);
      while (performance.now() < ends) took.get(name)!.push(...(await volunteer.round()));
    }),
  );
  await Promise.all(all);
  return took;
}

/** The median of a run's receipts. Throws where it gave none. */
function usual(took: ReadonlyMap<string, readonly number[]>, name: string): number {
  const found = medianOf(took.get(name) ?? []);
  if (found === undefined) throw new Error(`${name} gave no receipt`);
  return found;
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill();
  await exited;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
