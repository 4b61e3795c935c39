import { expect, test } from "vitest";
import type { RunEvent } from "../protocol/events.ts";
import type { AddedText, RunCorpus } from "../server/run/options.ts";
import { openFollowedRun } from "../server/run/run.ts";
import { followedFiles } from "./harness/followed-files.ts";
import {
  advance,
  deltaOf,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "./harness/tiny-run.ts";

const corpus = await tinyCorpus();

/** A run, and another process that only reads it. */
async function followed(
  settings = tinySettings({ snapshotEvery: 2, keepSnapshots: 2, downlink: "dense4" }),
  [there, here] = [corpus, corpus],
) {
  const tiny = await tinyRun({ settings, corpus: there });
  const { store } = await followedFiles(tiny.files);
  const { settings: _, ...options } = tiny.options;
  const other = await openFollowedRun({ ...options, store, corpus: here });
  const events: RunEvent[] = [];
  other.subscribe((event) => events.push(event));
  const follow = async () => {
    await store.refresh();
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

test("text that came in is followed once it is in this directory too: until then its shards could not be served", async () => {
  const [{ hash, tokens }] = (await tinyCorpus(1, 96)).train as [RunCorpus["train"][number]];
  const text: AddedText = { text: hash, tokens, train: [{ hash, tokens }] };
  const [there, here]: AddedText[][] = [[], []];
  const growing = (added: AddedText[]): RunCorpus => ({ ...corpus, added: () => added });
  const { tiny, other, follow } = await followed(undefined, [growing(there!), growing(here!)]);
  there!.push(text);
  tiny.run.admin.takeText();
  await until(() => tiny.run.status().added !== undefined);
  await advance(await TestVolunteer.create(), tiny, 1);
  for (let tries = 0; tries < 2; tries++) await expect(follow()).rejects.toThrow(/text 1 that was added/);
  expect(other.status()).toMatchObject({ version: 0 });
  here!.push(text);
  await follow();
  expect(other.status()).toMatchObject({ version: 1, added: { texts: 1, tokens } });
  expect(other.manifest()).toEqual(tiny.run.manifest());
  await tiny.run.close();
});
