import { expect, test } from "vitest";
import type { RunEvent } from "../protocol/events.ts";
import { openFollowedRun } from "../server/run/run.ts";
import { readOnlyStore } from "../server/store/read-only.ts";
import type { Store } from "../server/store/store.ts";
import { memoryIndex } from "./harness/memory-index.ts";
import { advance, deltaOf, TestVolunteer, tinyRun, tinySettings, uploadOf } from "./harness/tiny-run.ts";

/** A run, and another process that only reads it. */
async function followed(settings = tinySettings({ snapshotEvery: 2, keepSnapshots: 2, downlink: "dense4" })) {
  const tiny = await tinyRun({ settings });
  let now = await readOnlyStore(tiny.files);
  const index = memoryIndex();
  const store: Store = {
    ...now,
    index,
    get length() {
      return now.length;
    },
    read: (sequence) => now.read(sequence),
    records: (from) => now.records(from),
  };
  const { settings: _, ...options } = tiny.options;
  const other = await openFollowedRun({ ...options, store });
  const events: RunEvent[] = [];
  other.subscribe((event) => events.push(event));
  const follow = async () => {
    now = await readOnlyStore(tiny.files);
    await other.follow();
  };
  return { tiny, other, events, follow };
}

test("who follows a run has the same model, diffs, records, proofs and credit, and hears of what happens", async () => {
  const { tiny, other, events, follow } = await followed();
  const volunteer = await TestVolunteer.create();
  for (let version = 1; version <= 7; version++) {
    const receipt = await volunteer.send(
      tiny.run,
      uploadOf(await volunteer.ticket(tiny.run), deltaOf(version)),
    );
    await advance(volunteer, tiny, 1);
    await follow();
    expect(other.latestSnapshot()).toEqual(tiny.run.latestSnapshot());
    expect(other.manifest()).toEqual(tiny.run.manifest());
    const { version: newest } = tiny.run.status();
    expect(await other.diff(newest - 1)).toEqual(await tiny.run.diff(newest - 1));
    expect(await other.versionRecord(newest)).toEqual(await tiny.run.versionRecord(newest));
    expect(await other.proof(receipt.ticket)).toEqual(await tiny.run.proof(receipt.ticket));
    expect(other.credit(volunteer.identity.key)).toEqual(tiny.run.credit(volunteer.identity.key));
  }
  expect(events.filter(({ type }) => type === "version").length).toBeGreaterThanOrEqual(7);
  const stored = tiny.run.admin.snapshots[0] ?? 0;
  await tiny.run.admin.rollback(stored);
  await follow();
  expect(other.latestSnapshot()).toEqual(tiny.run.latestSnapshot());
  await tiny.run.admin.pause();
  await follow();
  expect(other.manifest().state).toBe("paused");
  await tiny.run.close();
});

test("who was away while diffs were let go of goes on from a stored version, and never serves other bytes", async () => {
  const { tiny, other, follow } = await followed(
    tinySettings({ snapshotEvery: 1, keepSnapshots: 2, keepDiffs: 2, downlink: "dense4" }),
  );
  const volunteer = await TestVolunteer.create();
  await advance(volunteer, tiny, 6);
  const before = other.latestSnapshot();
  // Version 1's diff is gone, and so is its snapshot: it is opened anew.
  await expect(follow()).rejects.toThrow(/is not there/);
  expect(other.latestSnapshot()).toEqual(before);
  await tiny.run.close();
});
