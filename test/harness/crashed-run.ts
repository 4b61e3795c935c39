import { expect } from "vitest";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash, TicketId } from "../../protocol/ids.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import type { DurableEvent } from "../../server/coordinator/events.ts";
import { initialVectors } from "../../server/merge/vectors.ts";
import { mergeRule } from "../../server/run/merge-rule.ts";
import { decodeRecord } from "../../server/run/record.ts";
import { Journal } from "../../server/store/journal.ts";
import type { MemoryFiles } from "./memory-files.ts";
import { merge } from "./merge-once.ts";
import {
  deltaOf,
  ManualClock,
  TestVolunteer,
  type TinyRun,
  tinyCorpus,
  tinyRun,
  tinySettings,
  uploadOf,
  vectorTask,
} from "./tiny-run.ts";
import type { Stillness } from "./virtual-time.ts";

/**
 * A run that is cut short and started again, and what must hold of it (docs/ARCHITECTURE.md, "Durability"):
 * I1 every receipted delta reaches exactly one end, and never changes it;
 * I2 the model's hash is what replaying the journal from version 0 gives.
 */
export const SETTINGS = tinySettings({
  snapshotEvery: 2,
  keepSnapshots: 2,
  keepDiffs: 3,
  downlink: "dense4",
});
const VERSIONS = 5;
const SEGMENT_BYTES = 4_096;
const corpus = await tinyCorpus();
const volunteers = await Promise.all([TestVolunteer.create(), TestVolunteer.create()]);

export const open = (files: MemoryFiles, clock = new ManualClock()): Promise<TinyRun> =>
  tinyRun({ files, clock, corpus, settings: SETTINGS, segmentBytes: SEGMENT_BYTES });

/** What a life of the run leaves with its volunteers. */
export class Memory {
  readonly receipts: Receipt[] = [];
  readonly frames = new Map<TicketId, Uint8Array<ArrayBuffer>>();
}

/** Milliseconds of virtual time: whoever still waits after these waits for ever. */
const MAX_WAIT_MS = 600_000;

/**
 * Waits for all of `work`, and lets time pass whenever nothing else can go on: after a failed write the run rests, and
 * holds those who have sent their deltas until time closes the version.
 */
async function asTimePasses({ run, clock }: TinyRun, still: Stillness, work: readonly Promise<void>[]) {
  let waits = true;
  const all = Promise.all(work).finally(() => {
    waits = false;
  });
  all.catch(() => {}); // awaited below
  for (const end = clock.ms + MAX_WAIT_MS; ; ) {
    await still.comes();
    if (!waits) break;
    if (clock.ms >= end) throw new Error("somebody waits for ever");
    clock.ms += 1_000;
    run.tick();
  }
  await all;
}

/** How a life of the run goes. */
export interface Life {
  readonly memory: Memory;
  readonly still: Stillness;
  /** Whether the power has gone. */
  readonly off: () => boolean;
}

/** Everyone contributes until the run has so many versions, or the power goes. */
export async function script(tiny: TinyRun, { memory, still, off }: Life): Promise<void> {
  const { run, clock } = tiny;
  let delta = memory.frames.size;
  while (run.status().version < VERSIONS && !off()) {
    const { version } = run.status();
    await asTimePasses(
      tiny,
      still,
      volunteers.map(async (volunteer) => {
        const upload = uploadOf(await volunteer.ticket(run), deltaOf(++delta));
        memory.frames.set(upload.ticket.id, upload.frame);
        memory.receipts.push(await volunteer.send(run, upload));
      }),
    );
    clock.ms += 5_000;
    run.tick();
    await still.comes();
    if (!off()) expect(run.status().version).toBeGreaterThan(version);
  }
}

/** As {@link script}, on a disk that fails now and then: whoever is refused goes on with another ticket. */
export async function patientScript(tiny: TinyRun, { memory, still, off }: Life): Promise<void> {
  const { run, clock } = tiny;
  let delta = memory.frames.size;
  for (let turn = 0; turn < 4 * VERSIONS && run.status().version < VERSIONS && !off(); turn++) {
    await asTimePasses(
      tiny,
      still,
      volunteers.map(async (volunteer) => {
        try {
          const upload = uploadOf(await volunteer.ticket(run), deltaOf(++delta));
          memory.frames.set(upload.ticket.id, upload.frame);
          memory.receipts.push(await volunteer.send(run, upload));
        } catch (error) {
          if (!off())
            expect(error).toMatchObject({ code: expect.stringMatching(/^(no-space|not-durable)$/) });
        }
      }),
    );
    clock.ms += 5_000;
    run.tick();
    if (turn % 2 === 0) await still.comes(); // else the next deltas meet a version that is being made
  }
}

/** What the journal on a disk tells. */
export async function told(files: MemoryFiles): Promise<DurableEvent[]> {
  const journal = await Journal.open(files, { salt: () => 0 });
  const events: DurableEvent[] = [];
  for await (const { record } of journal.records()) events.push(decodeRecord(record).event);
  return events;
}

/** Merges the whole journal again from version 0; returns each version's hash and each delta's ends. */
export async function replayed(events: readonly DurableEvent[], { frames }: Memory) {
  const task = vectorTask();
  let vectors = initialVectors(await task.initial(SETTINGS.seed));
  const rule = await mergeRule(SETTINGS, task);
  const hashes: Hash[] = [await sha256(task.encode(vectors.x))];
  let now = 0;
  const ends = new Map<TicketId, number[]>();
  let closed: (DurableEvent & { type: "closed" }) | undefined;
  for (const event of events) {
    expect(event.at, "the run clock, which never goes back").toBeGreaterThanOrEqual(now);
    now = event.at;
    if (event.type === "accepted") ends.set(event.ticket, []);
    if (event.type === "closed") closed = event;
    if (event.type !== "published" || closed === undefined) continue;
    const merged = closed.merged.map(({ ticket, weight }) => {
      ends.get(ticket)?.push(event.version);
      return { frame: frames.get(ticket)!, weight };
    });
    ({ vectors } = merge(vectors, merged, rule(closed)));
    hashes.push(await sha256(task.encode(vectors.x)));
    expect(hashes.at(-1)).toBe(event.hash);
  }
  return { hashes, ends };
}

/** Starts from what a disk holds, goes on to the run's end, and holds everything to I1 and I2. */
export async function holds(
  files: MemoryFiles,
  before: Memory,
  still: Stillness,
  what: string,
): Promise<void> {
  const memory = new Memory();
  for (const [ticket, frame] of before.frames) memory.frames.set(ticket, frame);
  const again = await open(files);
  const { version, modelHash } = again.run.status();
  // The run goes on to its end, so that every delta comes to its own.
  await script(again, { memory, still, off: () => false });
  const { run, clock } = again;
  const waiting = () => volunteers.some(({ identity }) => run.credit(identity.key).pending > 0);
  while (waiting()) {
    const { version: last } = run.status();
    clock.ms += 40_000;
    run.tick();
    await still.comes();
    expect(run.status().version > last || !waiting(), `${what}: a delta that waits is merged`).toBe(true);
  }
  await run.close();

  const { hashes, ends } = await replayed(await told(files), memory);
  expect(hashes[version], `${what}: the hash after the restart`).toBe(modelHash);
  expect(hashes.at(-1)).toBe(again.run.latestSnapshot().hash);
  for (const { ticket } of [...before.receipts, ...memory.receipts]) {
    expect(ends.get(ticket)?.length, `${what}: the ends of a receipted delta`).toBe(1);
  }
}
