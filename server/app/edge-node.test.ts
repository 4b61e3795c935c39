import { expect, onTestFinished, test, vi } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { followedFiles } from "../../test/harness/followed-files.ts";
import { MemoryFiles } from "../../test/harness/memory-files.ts";
import {
  advance,
  silentLog,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  vectorTask,
} from "../../test/harness/tiny-run.ts";
import { VirtualTime } from "../../test/harness/virtual-time.ts";
import type { Log } from "../lib/log.ts";
import { mergeHere } from "../merge/merger.ts";
import { StoreError } from "../store/store.ts";
import { EdgeNode } from "./edge-node.ts";
import type { OpenedCorpus } from "./run-corpus.ts";

const corpus = await tinyCorpus();
const settings = tinySettings({ snapshotEvery: 1, keepSnapshots: 2, keepDiffs: 2, downlink: "dense4" });
const noText = async () => new Uint16Array();

/** A run, and an edge that follows it in time that passes only when a test says so. */
async function world(opened: Partial<OpenedCorpus> = {}, mirror?: string) {
  const time = new VirtualTime(onTestFinished);
  const leader = await tinyRun({ settings, corpus });
  const { store, seen, seams, listeners } = await followedFiles(leader.files);
  const looked = { texts: 0 };
  const texts: OpenedCorpus = {
    ...{ corpus, heldOut: noText, heldOutAdded: noText, gate: noText, texts: () => 0 },
    refresh: async () => void looked.texts++,
    ...opened,
  };
  const warned: unknown[] = [];
  const log: Log = { ...silentLog, warn: (_about, line) => void warned.push(line) };
  const node = await EdgeNode.over({
    ...{ store, corpus: texts, log, mirror, task: vectorTask },
    time: { now: () => time.now, sleep: (ms, signal) => time.sleep(ms, signal) },
  });
  warned.length = 0; // its made-up tokenizer counts no bytes
  onTestFinished(async () => {
    await node.close();
    await leader.run.close();
  });
  const volunteer = await TestVolunteer.create();
  const more = (versions = 1) => advance(volunteer, leader, versions);
  const version = () => node.service.manifest().version;
  const pass = (ms: number) => time.until(time.sleep(ms));
  return { time, leader, node, seen, seams, listeners, looked, warned, volunteer, more, version, pass };
}

test("an edge follows by itself, and looks at once for what it is asked and does not know yet", async () => {
  const { leader, node, more, version, pass, volunteer } = await world();
  await more();
  expect(version()).toBe(0);
  await pass(1_000);
  expect(version()).toBe(1);
  await more();
  expect(version()).toBe(1);
  expect(await node.service.versionRecord(2)).toEqual(await leader.run.versionRecord(2));
  expect(version()).toBe(2);
  await more();
  const { hash, bytes } = leader.run.latestSnapshot();
  expect(await node.service.snapshot(hash)).toEqual(bytes);
  expect(await node.service.diff(2)).toEqual(await leader.run.diff(2));
  await more();
  expect(await node.service.versionRecord(4)).toEqual(await leader.run.versionRecord(4));
  expect(node.service.credit(volunteer.identity.key)).toEqual(leader.run.credit(volunteer.identity.key));
  await expect(node.service.versionRecord(9)).rejects.toMatchObject({ code: "not-found" });
});

test("an edge knows since when it has heard of no leader, and since when it is behind", async () => {
  const { time, node, seams, listeners, more, pass } = await world();
  await more();
  await pass(5_000);
  expect(node.health.leaderSilentMs).toBe(time.now);
  expect(node.health.behindMs).toBeLessThan(600);
  for (const hear of listeners) hear({ from: "one", clock: 7, networkKey: new Uint8Array(32) });
  seams.beforeRefresh = () => Promise.reject(new Error("nobody answers"));
  await pass(9_000);
  expect(node.health.leaderSilentMs).toBe(9_000);
  expect(node.health.behindMs).toBeGreaterThan(8_000);
});

test("an edge changes nothing, introduces nobody, and does not say names that may be taken back", async () => {
  const { node, leader, more } = await world();
  await more();
  const { service } = node;
  const ticket = "t".repeat(22) as TicketId;
  const key = leader.run.manifest().server;
  for (const change of [
    () => service.ticket(key, ticket, {} as never, () => false),
    () => service.rename(key, "me"),
    () => service.forget(key),
    () => service.joinTeam(key, null, "t" as never),
  ])
    expect(change).toThrow(expect.objectContaining({ code: "not-durable" }));
  expect(service.manifest()).not.toHaveProperty("peers");
  expect(service.leaders()).toEqual([]);
});

test("an edge names the mirror that it was started with, and none where it was started without", async () => {
  const mirror = "https://cdn.example/run";
  expect((await world({}, mirror)).node.service.manifest()).toMatchObject({ mirror });
  expect((await world()).node.service.manifest()).not.toHaveProperty("mirror");
});

test("what waits for a version looks again after a pause, and for so long only", async () => {
  const { time, node, seen, seams, more, version, pass } = await world();
  await more();
  const { passing } = node;
  await time.until(passing.reached(1));
  expect([version(), time.now]).toEqual([1, 0]);
  const before = seen.refreshes;
  await time.until(passing.reached(0));
  expect(seen.refreshes, "what is known is not looked for").toBe(before);
  // Nobody publishes version 2: some sixty looks, where a loop without a pause made as many as the processor could.
  const began = time.now;
  await time.until(passing.reached(2));
  expect(time.now - began).toBe(3_000);
  expect(seen.refreshes - before).toBeGreaterThan(20);
  expect(seen.refreshes - before).toBeLessThan(80);
  // Published while somebody waits.
  const waiting = passing.reached(2);
  await pass(200);
  await more();
  const since = time.now;
  await time.until(waiting);
  expect(time.now - since).toBeLessThan(200);
  // A cluster that does not answer at all holds an answer of the leader's no longer.
  const { promise, resolve } = Promise.withResolvers<void>();
  seams.beforeRefresh = () => promise;
  const held = time.now;
  await time.until(passing.reached(3));
  expect(time.now - held).toBeLessThanOrEqual(3_050);
  resolve();
});

test("a cluster that does not answer is asked again, and one line says so; a journal with a gap is lost", async () => {
  const { node, seams, looked, warned, more, version, pass } = await world();
  seams.beforeRefresh = () => Promise.reject(new ProtocolError("not-durable", "it elects", 1));
  await pass(3_000);
  expect(warned).toEqual([expect.stringContaining("tried again")]);
  expect(node.lost.aborted).toBe(false);
  seams.beforeRefresh = async () => {};
  await more();
  await pass(1_000);
  expect(version()).toBe(1);
  seams.beforeRefresh = () => Promise.reject(new ProtocolError("not-durable", "it elects", 1));
  await pass(1_000);
  expect(warned).toHaveLength(2);
  seams.beforeRefresh = async () => {};
  await more(6); // frames, diffs and snapshots between are let go of
  await pass(1_000);
  expect(node.lost.aborted).toBe(true);
  expect(looked.texts, "it may have wanted text that came here meanwhile").toBe(4);
  expect(version(), "it goes on with what it had").toBe(1);
});

test("an edge opens once the run has begun, tries again what was let go of meanwhile, and closes its store else", async () => {
  const time = { now: () => 0, sleep: () => new Promise(() => {}) };
  const texts = { corpus, heldOut: noText, heldOutAdded: noText, gate: noText, texts: () => 0 };
  const parts = { corpus: { ...texts, refresh: async () => {} }, log: silentLog, task: vectorTask, time };
  const empty = await followedFiles(new MemoryFiles());
  const warming = { ...mergeHere, rest: async () => {}, close: vi.fn(async () => {}) };
  await expect(EdgeNode.over({ ...parts, store: empty.store, warming })).rejects.toThrow(
    "the run has not begun",
  );
  expect(warming.close).toHaveBeenCalled();
  expect(empty.seen).toEqual({ refreshes: 4, closed: true });
  const leader = await tinyRun({ settings, corpus });
  const { store, seen } = await followedFiles(leader.files);
  const records = store.records.bind(store);
  let gone = 2;
  store.records = (from) => {
    if (gone-- > 0) throw new StoreError("block 1 was let go of");
    return records(from);
  };
  const node = await EdgeNode.over({ ...parts, store, time: { ...time, sleep: sleepUntilAborted } });
  expect(seen.refreshes).toBe(2);
  await node.close();
  expect(seen.closed).toBe(true);
  await leader.run.close();
});

test("a shard that is missing is looked for in the directory once in ten seconds: strangers can ask for any", async () => {
  const { node, looked, pass } = await world();
  const missing = "f".repeat(64) as never;
  for (let i = 0; i < 5; i++)
    await expect(node.service.shard(missing)).rejects.toMatchObject({ code: "not-found" });
  expect(looked.texts).toBe(1);
  await pass(10_000);
  await expect(node.service.shard(missing)).rejects.toMatchObject({ code: "not-found" });
  expect(looked.texts).toBe(2);
});

const sleepUntilAborted = (_ms: number, signal: AbortSignal) =>
  new Promise<void>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
