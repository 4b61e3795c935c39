import { beforeEach, expect, test } from "vitest";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { createIdentity, sha256 } from "../../protocol/identity.ts";
import type { Hash, RunId, Signature } from "../../protocol/ids.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import { ManualClock, silentLog, tinyCorpus, tinySettings, vectorTask } from "../../test/harness/tiny-run.ts";
import { begin, type Closing, type Pooled, type State } from "../coordinator/state.ts";
import { initialVectors } from "../merge/vectors.ts";
import { Diffs } from "./diffs.ts";
import type { Recordable } from "./event-log.ts";
import { rulesOf } from "./genesis.ts";
import { LiveRun } from "./live-run.ts";
import { deltaCodec, mergeRule } from "./merge-rule.ts";
import type { AddedText } from "./options.ts";
import { Projections } from "./projections.ts";

/** A run that was never on a disk: its state is begun here, and its store only writes down what it is asked for. */
const settings = tinySettings();
const task = vectorTask();
const corpus = await tinyCorpus();
const own = await createIdentity();
const identity = { ...own, signer: own.privateKey };
const id = "1".repeat(64) as RunId;
const vectors = initialVectors(await task.initial(settings.seed));
const file = task.encode(vectors.x);
const hash = await sha256(file);
const begun = begin({ type: "created", at: 0, hash, genesis: {} });
const sealed = { record: hash, signature: "s".repeat(86) as Signature };
const frame = encodeFrame(F32, new Float32Array(10).fill(1));
const diff = await sha256(frame);
const closing: Closing = {
  event: { type: "closed", at: 0, version: 0, merged: [] },
  ...{ tokens: 32, entries: [] },
};

/** What the run did to the world, in order. */
let done: string[];
/** Resolves when an append is durable; rejects where the disk is full. */
let disk: PromiseWithResolvers<void>;
let deposed: AbortController;
let added: AddedText[];

beforeEach(() => {
  done = [];
  disk = Promise.withResolvers();
  disk.resolve();
  deposed = new AbortController();
  added = [];
});

async function liveRun(changes: Partial<State> = {}): Promise<LiveRun> {
  const store = {
    ...memoryStore(),
    index: memoryIndex(),
    deposed: deposed.signal,
    append: async () => {
      done.push("append");
      await disk.promise;
      return 1;
    },
    close: async () => void done.push("close"),
  };
  store.index.clear(id);
  store.index.apply([]); // of the journal's first record
  const live = new LiveRun(
    {
      ...{ store, task: () => task, clock: new ManualClock().read, log: silentLog },
      corpus: { ...corpus, added: () => added },
      random: (bytes) => new Uint8Array(bytes),
      observe: ({ type }) => done.push(`observe ${type}`),
    },
    identity,
    {
      definition: {
        ...{ id, settings, task, rules: rulesOf(id, settings, corpus, task.parameters) },
        delta: deltaCodec(settings, task.parameters),
        merging: await mergeRule(settings, task),
      },
      projections: new Projections({ ...begun, ...changes }, 1),
      ...{ vectors, file },
      stored: {
        places: [{ version: 0, hash, needs: 1 }],
        names: [],
        diffs: await Diffs.open(store),
      },
    },
  );
  live.listeners.add(({ type }) => done.push(`announce ${type}`));
  return live;
}

const paused: Recordable = { type: "state", at: 0, state: "paused" };

test("an event changes the run once it is durable; then it is observed, and what follows from it is done", async () => {
  disk = Promise.withResolvers();
  const live = await liveRun();
  const recorded = live.events.record(paused);
  await Promise.resolve();
  expect([live.state.phase, done]).toEqual(["running", ["append"]]);
  disk.resolve();
  await recorded;
  expect([live.state.phase, done]).toEqual(["paused", ["append", "observe state", "announce state"]]);
  expect(live.index.behind).toBe(0);
});

test("an event that could not be kept changes nothing, and its caller hears why", async () => {
  disk = Promise.withResolvers();
  const live = await liveRun();
  const recorded = live.events.record(paused);
  disk.reject(new Error("the disk is full"));
  await expect(recorded).rejects.toThrow("the disk is full");
  expect([live.state.phase, done]).toEqual(["running", ["append"]]);
});

test("a published version is the current one, and is announced", async () => {
  const live = await liveRun({ closing });
  const next = initialVectors(new Float32Array(10).fill(2));
  const made = await live.versions.next.merged(0, next, { frame, hash: diff });
  const model = await sha256(made.file);
  await live.events.record({
    ...{ type: "published", at: 0, version: 1, hash: model, diff, diffBytes: frame.length },
    ...sealed,
  });
  expect(live.versions.current).toBe(made);
  expect(live.state).toMatchObject({ version: 1, hash: model, tokens: 32 });
  expect(done).toEqual(["append", "observe published", "announce version"]);
});

test("a roll-back's version is a place to go on from, which needs nothing of the journal before it", async () => {
  const live = await liveRun();
  await live.versions.next.merged(0, vectors, { frame, hash: diff });
  await live.events.record({
    ...{ type: "rolled-back", at: 0, version: 1, to: 0, hash, reason: "operator" },
    ...sealed,
  });
  expect(live.versions.stored).toEqual([
    { version: 0, hash, needs: 1 },
    { version: 1, hash, needs: 2 },
  ]);
});

test("decides by other settings once it is tuned, and is the same run", async () => {
  const live = await liveRun();
  live.tune({ ...settings, quorum: 5, tokenBudget: 9 });
  expect(live.definition).toMatchObject({
    id,
    settings: { quorum: 5 },
    rules: { quorum: 5, tokenBudget: 9 },
  });
});

test("a text that came in is trained on from its position, and one that is not in the directory is refused", async () => {
  const live = await liveRun();
  const text = "2".repeat(64) as Hash;
  const shard = "3".repeat(64) as Hash;
  const event: Recordable = { type: "text-added", at: 0, version: 0, from: 0, text, tokens: 400 };
  const trainedOn = () =>
    new Set(Array.from({ length: 40 }, (_, position) => live.definition.rules.ranges.at(position).shard));
  expect(trainedOn()).not.toContain(shard);
  added.push({ text, tokens: 400, train: [{ hash: shard, tokens: 400 }] });
  await live.events.record(event);
  expect(trainedOn()).toContain(shard);
  added.length = 0;
  expect(() => live.tune()).toThrow(`text 1 that was added to this run (${text}) is not in its directory`);
});

const lease = { volunteer: own.key, position: 0, fresh: false, expires: 60_000 };
const waiting = {
  ...{ ticket: "t".repeat(22), volunteer: own.key, delta: hash, version: 0, tokens: 32, at: 0 },
} as Pooled;

test.each<[string, Partial<State>]>([
  ["a ticket is out", { soft: { ...begun.soft, leases: new Map([["t".repeat(22) as never, lease]]) } }],
  ["a delta waits", { pool: [waiting] }],
  ["a version is being merged", { closing }],
])("is not drained while %s; control: without, it is", async (_, changes) => {
  expect((await liveRun(changes)).drained).toBe(false);
  expect((await liveRun()).drained).toBe(true);
});

test("each tick wakes those who wait, also once it is closed, and then a lease is not looked at any more", async () => {
  const leases = new Map([["t".repeat(22) as never, { ...lease, expires: -1 }]]);
  const live = await liveRun({ soft: { ...begun.soft, leases } });
  await live.close();
  const woken = live.waiting.next();
  live.tick();
  await woken;
  expect(live.state.soft.leases.size).toBe(1);
  const open = await liveRun({ soft: { ...begun.soft, leases } });
  open.tick();
  expect(open.state.soft.leases.size).toBe(0);
});

test("closing waits for what is on its way to the journal, and closes the store last", async () => {
  disk = Promise.withResolvers();
  const live = await liveRun();
  const recorded = live.events.record(paused).then(() => done.push("recorded"));
  const closed = live.close().then(() => done.push("closed"));
  expect(live.closed).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toEqual(["append"]);
  disk.resolve();
  await Promise.all([recorded, closed]);
  expect(done.filter((what) => !what.startsWith("observe") && !what.startsWith("announce"))).toEqual([
    ...["append", "recorded", "close", "closed"],
  ]);
});

test("a run that another server has taken over stops, and those who wait hear of it", async () => {
  const live = await liveRun();
  const waits = live.waiting.next();
  expect(live.closed).toBe(false);
  deposed.abort();
  await waits;
  expect(live.closed).toBe(true);
  expect(live.publisher.resting).toBe(true);
});
