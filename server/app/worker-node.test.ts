import { expect, onTestFinished, test, vi } from "vitest";
import type { AuditJob } from "../../model/audit/measure.ts";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { bytesOf } from "../../protocol/bytes.ts";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Hash } from "../../protocol/ids.ts";
import { FakeJobs } from "../../test/harness/fake-jobs.ts";
import { followedFiles } from "../../test/harness/followed-files.ts";
import {
  advance,
  deltaOf,
  silentLog,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  vectorTask,
} from "../../test/harness/tiny-run.ts";
import type { AuditOrder, ModelPlace } from "../evaluate/ports.ts";
import { programVersion } from "../lib/program-version.ts";
import { WeightedMean } from "../merge/mean.ts";
import { decodeRecord } from "../run/record.ts";
import { readOnlyStore } from "../store/read-only.ts";
import { encodeAudit } from "../workers/audit-job.ts";
import { Editions } from "../workers/editions.ts";
import { RemoteHelpers } from "../workers/helpers.ts";
import { TASKS } from "../workers/tasks.ts";
import { TurnThread } from "../workers/turn-thread.ts";
import { measuringData } from "./language-evaluator.ts";
import type { OpenedCorpus } from "./run-corpus.ts";
import { type MeasuringThreads, WorkerNode } from "./worker-node.ts";

const corpus = await tinyCorpus();
const settings = tinySettings({ snapshotEvery: 3, keepSnapshots: 3, downlink: "dense4" });
/** The same run to a worker, which is to have a matrix of more than one piece. */
const matrixTask = () => ({ ...vectorTask(), matrices: [{ offset: 0, rows: 300, columns: 500 }] });
const change = { before: 3, after: 2, error: 0.5 };

/** What a thread makes of what it is asked: numbers that only the right weights, text and delta come to. */
const threads = (): MeasuringThreads => ({
  auditor: {
    audit: async ({ weights, delta, shard, seed, batches }: AuditJob) => {
      const sum = (values: Iterable<number>) => [...values].reduce((all, value) => all + value, 0);
      const after = sum(weights) + sum(delta) / 3 + sum(shard) / 1e6 + seed + batches;
      return { assigned: { ...change, after }, gate: { ...change, after: Number.NaN }, distance: 0.1 + 0.2 };
    },
    close: async () => {},
  },
  evaluator: {
    evaluate: async (version, weights) => ({ loss: 2 + weights[0]! / 7, sample: `version ${version}` }),
    close: async () => {},
  },
  turner: new TurnThread(),
});

/** A run that has come to version 5, what leads it, and a way to start workers. */
async function world() {
  const jobs = new FakeJobs();
  const leader = await tinyRun({ settings, corpus });
  onTestFinished(() => leader.run.close());
  await advance(await TestVolunteer.create(), leader, 5);
  let texts = 0;
  const text = async () => Uint16Array.from({ length: 200 }, (_, i) => i % 250);
  const opened: OpenedCorpus = {
    ...{ corpus, heldOut: text, heldOutAdded: async () => new Uint16Array(), gate: text },
    ...{ texts: () => texts, refresh: async () => {} },
  };
  const data = measuringData(opened, [], () => settings);
  const editions = new Editions({ ...data, program: await programVersion() });
  const happened: string[] = [];
  const write = (fields: object, line: string) => void happened.push(`${line} ${JSON.stringify(fields)}`);
  const log = { info: write, warn: write, error: write };
  let ms = 0;
  const never = () => () => {}; // a busy machine is not late
  const helpers = new RemoteHelpers({
    line: jobs.end(),
    editions,
    log,
    now: () => ms,
    after: never,
    minMeanBytes: 1,
  });
  let signs: (() => void)[] = [];
  const start = async (changes: Partial<OpenedCorpus> = {}, measured = threads) => {
    const { store } = await followedFiles(leader.files);
    const line = jobs.end();
    const node = await WorkerNode.over({
      ...{ store: Object.assign(store, { jobs: line }), corpus: { ...opened, ...changes }, questions: [] },
      ...{ task: matrixTask, tasks: TASKS, log: silentLog, threads: measured },
      every: (_ms, callback) => {
        signs = [...signs, callback];
        return () => {};
      },
    });
    onTestFinished(() => node.close());
    return { node, line };
  };
  const { hash } = leader.run.latestSnapshot();
  /** Out of the newest whole version and the diffs from there. */
  const placeOf = async (): Promise<ModelPlace> => {
    const from = { version: 3, hash: await hashOf(leader, 3) };
    const diffs = await Promise.all([3, 4].map((version) => diffHash(leader, version)));
    return { version: 5, hash, from, diffs };
  };
  const order: AuditOrder = {
    ...{ model: await placeOf(), shard: corpus.train[1]!.hash, frame: encodeFrame(F32, deltaOf(4)) },
    ...{ scale: 0.5, seed: 77, batches: 2 },
    ticket: { window: 3, seed: 5, steps: 2, batch: 2, rates: [0.1, 0.1], fresh: false },
  };
  const answered = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    await vi.waitFor(async () => {
      await jobs.settle(2);
      expect(done).toBe(true);
    }, 20_000); // a thread starts
    return settled;
  };
  return {
    ...{ jobs, leader, helpers, start, order, answered, happened, hash },
    pass: (more: number) => {
      ms += more;
      for (const sign of signs) sign();
    },
    addText: () => void texts++,
  };
}

type Leader = Awaited<ReturnType<typeof tinyRun>>;
const hashOf = async ({ run }: Leader, version: number): Promise<Hash> =>
  (await run.versionRecord(version)).model;
const diffHash = async ({ run }: Leader, version: number): Promise<Hash> =>
  (await run.versionRecord(version + 1)).diff;

test("a worker puts weights together out of what is stored, and comes to the leader's numbers to the bit", async () => {
  const { helpers, start, order, answered, leader, pass } = await world();
  expect(await answered(helpers.audit(order)), "nobody is there").toBeUndefined();
  const { node } = await start();
  const weights = vectorTask().decode(leader.run.latestSnapshot().bytes);
  const shard = new Uint16Array((await corpus.shard(order.shard)).slice().buffer);
  const own = await threads().auditor.audit({
    ...{ ...order, weights, shard, codec: F32, delta: deltaOf(4).map((value) => 0.5 * value) },
  });
  const asked = helpers.audit(order);
  pass(250); // before anybody hears of it
  expect(await answered(asked)).toEqual({ evidence: own, who: node.who });
  expect(own.gate.after).toBeNaN(); // which JSON has no word for
  const evaluation = await threads().evaluator.evaluate(5, weights);
  expect(await answered(helpers.evaluate(order.model))).toEqual({ evaluation, who: node.who });
  const nothing = { workers: 1, done: 0, left: 0, failures: 0, waitedMs: 0, workedMs: 0 };
  expect(helpers.figures).toEqual({
    audits: { ...nothing, done: 1, left: 1, waitedMs: 250 },
    evaluations: { ...nothing, done: 1 },
    merges: nothing,
  });
});

test("a worker whose text is another's is asked nothing, and the log says so", async () => {
  const { helpers, start, order, answered, happened } = await world();
  const { line } = await start({ gate: async () => new Uint16Array(300) });
  expect(await answered(helpers.audit(order))).toBeUndefined();
  expect(line.jobs).toBe(0);
  expect(happened.some((one) => one.startsWith("a worker has other text"))).toBe(true);
});

test("what it cannot have, or what is no job, a worker refuses; hashes that do not fit are not believed", async () => {
  const { helpers, start, order, answered, jobs, happened } = await world();
  await start();
  const gone = "f".repeat(64) as Hash;
  const { model } = order;
  const refused: [string, Partial<AuditOrder>, RegExp][] = [
    ["another hash", { model: { ...model, hash: gone } }, /comes to another hash/],
    ["no such snapshot", { model: { ...model, from: { version: 3, hash: gone } } }, /is not stored/],
    ["no such diff", { model: { ...model, diffs: [gone, gone] } }, /is not stored/],
    ["no such shard", { shard: gone }, /no such shard/],
    ["a frame of another model", { frame: encodeFrame(F32, new Float32Array(11)) }, /values where/],
    ["no frame", { frame: new Uint8Array() }, /shorter than its header/],
    ["a batch too large", { ticket: { ...order.ticket, batch: 1_024 } }, /larger than the run's/],
    ["diffs that do not lead there", { model: { ...model, version: 9 } }, /version must be/],
    ["no number", { scale: Number.NaN }, /scale must be/],
  ];
  for (const [what, changes, why] of refused) {
    expect(await answered(helpers.audit({ ...order, ...changes })), what).toBeUndefined();
    expect(happened.at(-1), what).toMatch(why);
  }
  expect(helpers.figures.audits).toMatchObject({ done: 0, left: refused.length });
  expect(helpers.figures.audits.failures).toBeGreaterThanOrEqual(refused.length);
  // Bytes that are nothing at all.
  const line = jobs.end();
  const said: unknown[] = [];
  const signs: string[] = [];
  line.listen((message) => signs.push(new TextDecoder().decode(message)));
  await answered(helpers.audit(order));
  const kind = happened.join().match(/audits\.[0-9a-f]{16}/)?.[0] ?? "";
  for (const bytes of [
    new Uint8Array(),
    Uint8Array.of(255, 255, 255, 255),
    encodeAudit(order).subarray(0, 40),
  ]) {
    line.ask(kind, bytes, (message) => void said.push(message === "nobody" ? message : message[0]));
    await jobs.settle();
  }
  expect(said).toEqual([0, 4, 0, 4, 0, 4]); // taken, failed
  expect((await answered(helpers.audit(order)))?.who, "and works on").toBeDefined();
});

test("audits at once are as many as there are workers and the server; one that computed wrong is asked no more", async () => {
  const { helpers, start, order, answered, pass, jobs } = await world();
  const { node, line } = await start();
  await start();
  await answered(helpers.audit(order));
  await jobs.settle();
  expect(helpers.audits).toBe(3);
  helpers.distrust(node.who);
  expect(helpers.audits).toBe(2);
  const before = line.jobs;
  const found = await answered(helpers.audit(order));
  expect(found?.who ?? "nobody").not.toBe(node.who);
  expect(line.jobs).toBeGreaterThanOrEqual(before);
  line.kill();
  pass(6_000);
  await jobs.settle();
  pass(6_000);
  await jobs.settle();
  expect(helpers.audits, "one is gone, and not counted as wrong any more").toBe(2);
});

test("text that was added changes what is measured: a worker takes jobs of its own edition alone", async () => {
  const { helpers, start, order, answered, addText, pass, jobs } = await world();
  const measured = Promise.withResolvers<void>();
  const slow = (): MeasuringThreads => ({
    ...threads(),
    evaluator: {
      evaluate: async () => {
        await measured.promise;
        return { loss: 1, sample: "of other text" };
      },
      close: async () => {},
    },
  });
  await start({}, slow);
  const asked = helpers.evaluate(order.model);
  await jobs.settle();
  addText();
  measured.resolve();
  expect(await answered(asked), "measured on text that is not what was asked for").toBeUndefined();
  pass(10_000);
  await jobs.settle();
  expect((await answered(helpers.evaluate(order.model)))?.evaluation.loss).toBe(1);
});

test("a matrix is turned by a worker to the same bytes, however long its way; one that no model has is refused", async () => {
  const { helpers, start, answered, jobs, pass, happened } = await world();
  const drawn = Float32Array.from({ length: 300 * 500 }, (_, i) => Math.sin(i * i));
  expect(await answered(helpers.turn(drawn.slice(), 300, 500)), "nobody is there").toBeUndefined();
  const { node } = await start();
  pass(1_000);
  await jobs.settle();
  expect(helpers.merges).toBe(1);
  const own = drawn.slice();
  (await Orthogonalizer.open()).apply(own, 300, 500);
  const turned = await answered(helpers.turn(drawn.slice(), 300, 500));
  expect(turned).toMatchObject({ who: node.who, checked: true }); // its first
  expect(Buffer.compare(bytesOf(turned!.values), bytesOf(own))).toBe(0);
  expect((await answered(helpers.turn(drawn.slice(), 300, 500)))?.checked).toBe(false);
  expect(await answered(helpers.turn(drawn.slice(), 500, 300))).toBeUndefined();
  expect(happened.at(-1)).toMatch(/has no such matrix/);
  expect(
    await answered(helpers.turn(new Float32Array(150_000), 300, 500)),
    "zeros stay zeros",
  ).toBeUndefined();
  // Pieces of another length, and other numbers than a matrix can become.
  jobs.alterAnswer = (answer) => answer.subarray(1);
  expect(await answered(helpers.turn(drawn.slice(), 300, 500))).toBeUndefined();
  jobs.alterAnswer = (answer) => {
    new DataView(answer.buffer, answer.byteOffset).setFloat32(0, Number.NaN, true);
    return answer;
  };
  expect(await answered(helpers.turn(drawn.slice(), 300, 500))).toBeUndefined();
  jobs.alterAnswer = (answer) => answer;
  expect(helpers.merges, "whoever computes wrong").toBe(0);
});

test("a version's mean is made of the journal's frames by workers, in parts, to the same bytes; or not at all", async () => {
  const { helpers, start, answered, jobs, pass, leader } = await world();
  const sequences: number[] = [];
  const frames: Uint8Array<ArrayBuffer>[] = [];
  const store = await readOnlyStore(leader.files);
  for await (const { sequence, record } of store.records()) {
    const { frame } = decodeRecord(record);
    if (frame.length > 0) [sequences.push(sequence), frames.push(frame)];
  }
  const shares = sequences.map((_, i) => (i + 1) / 50);
  const away = { records: sequences, shares, frameBytes: 1_000 };
  expect(await helpers.mean(away, 10), "nobody is there").toBeUndefined();
  await start();
  await start();
  pass(1_000);
  await vi.waitFor(async () => {
    await jobs.settle(2);
    expect(helpers.merges).toBe(2);
  }, 20_000);
  const expected = new WeightedMean(10, shares, 1);
  for (const [i, frame] of frames.entries()) expected.add(frame, shares[i]!);
  const made = await answered(helpers.mean(away, 10));
  const part = { from: 0, values: expected.values, who: expect.any(String) };
  expect(made).toEqual({ parts: [part], checked: true }); // that worker's first
  expect(await helpers.mean({ ...away, frameBytes: 1 }, 10), "not worth the way").toBeUndefined();
  const gone = { ...away, records: [...sequences.slice(1), 10_000] };
  expect(await answered(helpers.mean(gone, 10))).toBeUndefined();
  expect(await answered(helpers.mean(away, 10)), "and for a while none is asked").toBeUndefined();
  pass(6 * 60_000);
  await jobs.settle();
  pass(1_000);
  await jobs.settle();
  expect((await answered(helpers.mean(away, 10)))?.parts).toEqual([part]);
});
