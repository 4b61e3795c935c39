import { expect, onTestFinished, vi } from "vitest";
import type { AuditJob } from "../../model/audit/measure.ts";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Hash } from "../../protocol/ids.ts";
import { measuringData } from "../../server/app/language-evaluator.ts";
import type { OpenedCorpus } from "../../server/app/run-corpus.ts";
import { type MeasuringThreads, WorkerNode } from "../../server/app/worker-node.ts";
import type { AuditOrder, ModelPlace } from "../../server/evaluate/ports.ts";
import { programVersion } from "../../server/lib/program-version.ts";
import { Editions } from "../../server/workers/editions.ts";
import { RemoteHelpers } from "../../server/workers/helpers.ts";
import { TASKS } from "../../server/workers/tasks.ts";
import { TurnThread } from "../../server/workers/turn-thread.ts";
import { FakeJobs } from "./fake-jobs.ts";
import { followedFiles } from "./followed-files.ts";
import {
  advance,
  deltaOf,
  silentLog,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  vectorTask,
} from "./tiny-run.ts";

export const corpus = await tinyCorpus();
const settings = tinySettings({ snapshotEvery: 3, keepSnapshots: 3, downlink: "dense4" });
/** The same run to a worker, which is to have a matrix of more than one piece. */
const matrixTask = () => ({ ...vectorTask(), matrices: [{ offset: 0, rows: 300, columns: 500 }] });
const change = { before: 3, after: 2, error: 0.5 };

/** What a thread makes of what it is asked: numbers that only the right weights, text and delta come to. */
export const threads = (): MeasuringThreads => ({
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
export async function world() {
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
