import { expect, test } from "vitest";
import type { Hash } from "../../protocol/ids.ts";
import { followedFiles } from "../../test/harness/followed-files.ts";
import type { MemoryFiles } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import {
  advance,
  silentLog,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  vectorTask,
} from "../../test/harness/tiny-run.ts";
import { mergeHere } from "../merge/merger.ts";
import { initialVectors, type KnownVectors } from "../merge/vectors.ts";
import { fileStore } from "../store/file-store.ts";
import { openFollowedRun, openRun } from "./run.ts";
import { WarmVectors } from "./warm-vectors.ts";

const corpus = await tinyCorpus();
const settings = tinySettings({ snapshotEvery: 4, keepSnapshots: 2, downlink: "dense4" });

/** A run of six versions, and what who followed it has made of them. */
async function followed() {
  const leader = await tinyRun({ settings, corpus });
  const { settings: _, ...options } = leader.options;
  const { store } = await followedFiles(leader.files);
  const volunteer = await TestVolunteer.create();
  await advance(volunteer, leader, 2);
  await store.refresh();
  const edge = await openFollowedRun({ ...options, store, warming: mergeHere });
  for (let version = 3; version <= 6; version++) {
    await advance(volunteer, leader, 1);
    await store.refresh();
    await edge.follow();
  }
  const known = await edge.known();
  await edge.close();
  /** The same run taken over, with what it is said to know; and which snapshots it read. An index makes it use a checkpoint. */
  const takeOver = async (said?: KnownVectors, index = memoryIndex(), damaged?: Hash) => {
    const files: MemoryFiles = leader.files.restart("kill");
    if (damaged !== undefined) files.flip(`snapshots/${damaged}.state`, 20, 3);
    const store = await fileStore(files, index, { salt: () => 7 });
    const read: string[] = [];
    const get = store.get.bind(store);
    const asked: typeof get = (shelf, name) => {
      if (name.endsWith(".state")) read.push(name);
      return get(shelf, name);
    };
    Object.assign(store, { get: asked });
    const seen: string[] = [];
    const observe = (event: object) => void seen.push(JSON.stringify(event));
    const run = await openRun({ ...options, store, known: () => said, observe });
    const observed = [...seen];
    const next = { ...leader, run, files };
    await advance(await TestVolunteer.create(), next, 1);
    const { hash } = run.latestSnapshot();
    await run.close();
    return { read, hash, observed };
  };
  return { leader, known, takeOver, index: store.index };
}

test("who stood by goes on from the vectors it made, without a snapshot; control: who knows none reads one", async () => {
  const { leader, known, takeOver, index } = await followed();
  expect(known).toMatchObject({ version: 6, hash: leader.run.latestSnapshot().hash });
  const [warm, cold] = [await takeOver(known), await takeOver()];
  expect(warm.read).toEqual([]);
  const { read, hash } = await takeOver(known, index);
  expect({ read, hash }, "from a checkpoint").toEqual({ read: warm.read, hash: warm.hash });
  expect(cold.read).toHaveLength(1);
  expect(warm.hash, "θ and momentum are the same to the byte").toBe(cold.hash);
  expect(warm.hash).not.toBe(known?.hash);
});

test("vectors of another history, or older than the newest snapshot, are not gone on from", async () => {
  const { known, takeOver } = await followed();
  const right = (await takeOver()).hash;
  const { x } = initialVectors(new Float32Array(10));
  for (const wrong of [{ hash: "0".repeat(64) as Hash }, { version: 3 }, { version: 9 }]) {
    const { read, hash } = await takeOver({ ...known!, vectors: initialVectors(x), ...wrong });
    expect([read.length, hash]).toEqual([1, right]);
  }
});

test("of vectors that the journal does not have, and a damaged snapshot, an older one is gone on from", async () => {
  const { leader, known, takeOver, index } = await followed();
  const versions = leader.run.status().versions;
  const fourth = versions.find(({ version }) => version === 4)!.hash;
  const right = await takeOver();
  const { hash, observed, read } = await takeOver({ ...known!, version: 9 }, index, fourth);
  expect(hash).toBe(right.hash);
  expect(read[0], "the newest snapshot's, which a checkpoint named").toBe(`${fourth}.state`);
  expect(observed, "each event once, in order").toEqual(right.observed);
});

test("who cannot make a version again, or comes no more after, knows nothing, and says so once", async () => {
  const made = { version: 0, hash: "0".repeat(64) as Hash, vectors: initialVectors(new Float32Array(10)) };
  const version = (number: number) => ({
    ...made,
    version: number,
    needs: 0,
    merged: [{ sequence: 0, weight: 1 }],
  });
  const warned: unknown[] = [];
  const log = { ...silentLog, warn: (about: unknown) => void warned.push(about) };
  const definition = { task: vectorTask(), merging: () => ({}) as never };
  const { promise: never } = Promise.withResolvers<never>();
  const stuck = new WarmVectors(
    { store: memoryStore(), definition, log, merger: { merge: () => never } },
    made,
  );
  for (let number = 1; number <= 18; number++) stuck.add(version(number));
  expect(warned).toEqual([{ error: "versions come faster than they can be made again" }]);
  const failing = { merge: () => Promise.reject(new Error("a frame is gone")) };
  const lost = new WarmVectors({ store: memoryStore(), definition, log, merger: failing }, made);
  for (let number = 1; number <= 3; number++) lost.add(version(number));
  expect(await lost.stop()).toBeUndefined();
  expect(warned.slice(1)).toEqual([{ error: "Error: a frame is gone" }]);
});
