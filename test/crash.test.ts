import { expect, test } from "vitest";
import { Random } from "../model/random.ts";
import { sha256 } from "../protocol/identity.ts";
import type { Hash, TicketId } from "../protocol/ids.ts";
import type { Receipt } from "../protocol/receipt.ts";
import { initialVectors, merge } from "../server/merge/merge.ts";
import type { DurableEvent } from "../server/rounds/events.ts";
import { mergeRule } from "../server/run/merge-rule.ts";
import { decodeRecord } from "../server/run/record.ts";
import { Journal } from "../server/store/journal.ts";
import { MemoryFiles, PowerLoss } from "./harness/memory-files.ts";
import {
  deltaOf,
  ManualClock,
  TestVolunteer,
  type TinyRun,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
  vectorTask,
} from "./harness/tiny-run.ts";

/**
 * Invariants under a cut at every operation (docs/ARCHITECTURE.md, "Durability"):
 * I1 every receipted delta reaches exactly one end, and never changes it;
 * I2 the model's hash is what replaying the journal from version 0 gives.
 */
const SETTINGS = tinySettings({ snapshotEvery: 2, keepSnapshots: 2, keepDiffs: 3, downlink: "dense4" });
const VERSIONS = 5;
const SEGMENT_BYTES = 4_096;
const corpus = await tinyCorpus();
const volunteers = await Promise.all([TestVolunteer.create(), TestVolunteer.create()]);

const open = (files: MemoryFiles, clock = new ManualClock()): Promise<TinyRun> =>
  tinyRun({ files, clock, corpus, settings: SETTINGS, segmentBytes: SEGMENT_BYTES });

/** What a life of the run leaves with its volunteers. */
class Memory {
  readonly receipts: Receipt[] = [];
  readonly frames = new Map<TicketId, Uint8Array<ArrayBuffer>>();
}

/** Everyone contributes until the run has `VERSIONS` versions. */
async function script({ run, clock }: TinyRun, memory: Memory, off: () => boolean): Promise<void> {
  let delta = memory.frames.size;
  while (run.status().version < VERSIONS && !off()) {
    const { version } = run.status();
    await Promise.all(
      volunteers.map(async (volunteer) => {
        const upload = uploadOf(await volunteer.ticket(run), deltaOf(++delta));
        memory.frames.set(upload.ticket.id, upload.frame);
        memory.receipts.push(await volunteer.send(run, upload));
      }),
    );
    clock.ms += 5_000;
    run.tick();
    await until(() => run.status().version > version || off());
  }
}

/** What the journal on a disk tells. */
async function told(files: MemoryFiles): Promise<DurableEvent[]> {
  const journal = await Journal.open(files, { salt: () => 0 });
  const events: DurableEvent[] = [];
  for await (const { record } of journal.records()) events.push(decodeRecord(record).event);
  return events;
}

/** Merges the whole journal again from version 0; returns each version's hash and each delta's ends. */
async function replayed(events: readonly DurableEvent[], { frames }: Memory) {
  const task = vectorTask();
  let vectors = initialVectors(task.initial(SETTINGS.seed));
  const rule = await mergeRule(SETTINGS, task);
  const hashes: Hash[] = [await sha256(task.encode(vectors.x))];
  const ends = new Map<TicketId, number[]>();
  let closed: (DurableEvent & { type: "closed" }) | undefined;
  for (const event of events) {
    if (event.type === "accepted") ends.set(event.ticket, []);
    if (event.type === "closed") closed = event;
    if (event.type !== "published" || closed === undefined) continue;
    const merged = closed.merged.map(({ ticket, weight }) => {
      ends.get(ticket)?.push(event.version);
      return { frame: frames.get(ticket)!, weight };
    });
    ({ vectors } = merge(vectors, merged, rule));
    hashes.push(await sha256(task.encode(vectors.x)));
    expect(hashes.at(-1)).toBe(event.hash);
  }
  return { hashes, ends };
}

/** Runs the script until the power goes at operation `at`, then starts again and holds everything to I1 and I2. */
async function crashAt(at: number, outcomes: readonly ("kill" | "drop" | Random)[]): Promise<boolean> {
  const files = new MemoryFiles();
  let cut = false;
  files.before = ({ number }) => {
    if (number !== at) return;
    cut = true;
    throw new PowerLoss();
  };
  const memory = new Memory();
  let first: TinyRun | undefined;
  try {
    first = await open(files);
    await script(first, memory, () => cut);
    if (!cut) await first.run.close();
  } catch (error) {
    if (!cut) throw error;
  }
  for (const survivors of outcomes) await holds(files.restart(survivors), memory, at);
  return cut;
}

async function holds(files: MemoryFiles, before: Memory, at: number): Promise<void> {
  const memory = new Memory();
  for (const [ticket, frame] of before.frames) memory.frames.set(ticket, frame);
  const again = await open(files);
  const { version, modelHash } = again.run.status();
  // The run goes on to its end, so that every delta comes to its own.
  await script(again, memory, () => false);
  const { run, clock } = again;
  const waiting = () => volunteers.some(({ identity }) => run.credit(identity.key).pending > 0);
  while (waiting()) {
    const { version: last } = run.status();
    clock.ms += 40_000;
    run.tick();
    await until(() => run.status().version > last || !waiting());
  }
  await run.close();

  const { hashes, ends } = await replayed(await told(files), memory);
  expect(hashes[version], `cut at ${at}: the hash after the restart`).toBe(modelHash);
  expect(hashes.at(-1)).toBe(again.run.latestSnapshot().hash);
  for (const { ticket } of [...before.receipts, ...memory.receipts]) {
    expect(ends.get(ticket)?.length, `cut at ${at}: the ends of a receipted delta`).toBe(1);
  }
}

test("A1, A2: cut at every operation of a run's life: no receipted delta lost or merged twice, every hash a replay's", async () => {
  let at = 0;
  while (await crashAt(at, ["kill", "drop", new Random(at), new Random(at + 1_000)])) at += 1;
  expect(at).toBeGreaterThan(60); // the script does reach the disk that often
}, 120_000);
