import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TicketId } from "../../protocol/ids.ts";
import { parseReceipt, type Receipt } from "../../protocol/receipt.ts";
import { decodeRecord } from "../../server/run/record.ts";
import { openRun } from "../../server/run/run.ts";
import { fileStore } from "../../server/store/file-store.ts";
import { nodeFiles } from "../../server/store/node-files.ts";
import { readOnlyStore } from "../../server/store/read-only.ts";
import { sqliteIndex } from "../../server/store/sqlite-index.ts";
import { verify } from "../../server/verify/verify.ts";
import { killingFiles } from "./killing-files.ts";
import {
  countingRandom,
  deltaOf,
  ManualClock,
  silentLog,
  TestVolunteer,
  tinyCorpus,
  tinySettings,
  uploadOf,
  vectorTask,
} from "./tiny-run.ts";

const SETTINGS = tinySettings({ snapshotEvery: 2, keepSnapshots: 2, keepDiffs: 2 });
const VERSIONS = 5;
const SEGMENT_BYTES = 4_096;
const NEVER = Number.POSITIVE_INFINITY;

/** Runs (or goes on with) a run in a directory until it has five versions, killing itself at a change of a file. */
export async function livedIn(
  directory: string,
  at: number,
  receipted: (receipt: Receipt) => void,
): Promise<void> {
  const clock = new ManualClock();
  const store = await fileStore(
    killingFiles(nodeFiles(directory), at),
    sqliteIndex(join(directory, "index.sqlite")),
    { salt: () => 7, segmentBytes: SEGMENT_BYTES },
  );
  const run = await openRun({
    store,
    corpus: await tinyCorpus(),
    ...(store.length === 0 && { settings: SETTINGS }),
    task: vectorTask,
    clock: clock.read,
    random: countingRandom(process.pid),
    log: silentLog,
  });
  const volunteers = await Promise.all([TestVolunteer.create(), TestVolunteer.create()]);
  let sent = 0;
  while (run.status().version < VERSIONS) {
    const { version } = run.status();
    await Promise.all(
      volunteers.map(async (volunteer) => {
        const upload = uploadOf(await volunteer.ticket(run), deltaOf(++sent));
        receipted(await volunteer.send(run, upload));
      }),
    );
    // On a real disk: a sync may take seconds, so turns of the event loop are no measure.
    while (run.status().version === version) {
      clock.ms += 5_000;
      run.tick();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
  await run.close();
}

export interface Killed {
  /** Whether the process came to that change at all. */
  readonly killed: boolean;
  readonly receipts: number;
  /** Receipted deltas that the journal does not end exactly once. */
  readonly lost: number;
  readonly twice: number;
  readonly readyMs: number;
}

/** Kills a real process at its n-th change of a file, goes on from what it left, and counts what was receipted. */
export async function killedAt(at: number): Promise<Killed> {
  const directory = await mkdtemp(join(tmpdir(), "murmuration-sweep-"));
  try {
    const script = join(import.meta.dirname, "killed-run.ts");
    const child = spawn(process.execPath, [script, directory, String(at)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
    const [code, signal] = await once(child, "close");
    if (code !== 0 && signal !== "SIGKILL") throw new Error(`killed at ${at}, the run ended with ${code}`);
    const receipts = told
      .split("\n")
      .slice(0, -1)
      .map((line) => parseReceipt(JSON.parse(line)));
    const began = performance.now();
    let readyMs = 0;
    await livedIn(directory, NEVER, (receipt) => {
      if (readyMs === 0) readyMs = performance.now() - began;
      receipts.push(receipt);
    });
    const store = await readOnlyStore(nodeFiles(directory));
    await verify(store, await tinyCorpus(), vectorTask);
    const ends = new Map<TicketId, number>();
    const pending = new Set<TicketId>();
    for await (const { record } of store.records()) {
      const { event } = decodeRecord(record);
      if (event.type === "accepted") pending.add(event.ticket);
      if (event.type !== "closed") continue;
      for (const { ticket } of event.merged) {
        pending.delete(ticket);
        ends.set(ticket, (ends.get(ticket) ?? 0) + 1);
      }
    }
    return {
      killed: signal === "SIGKILL",
      receipts: receipts.length,
      lost: receipts.filter(({ ticket }) => !ends.has(ticket) && !pending.has(ticket)).length,
      twice: [...ends.values()].filter((times) => times > 1).length,
      readyMs,
    };
  } finally {
    // What failed may still be writing, and would hide why.
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
