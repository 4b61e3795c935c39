import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { bytesOf, concat } from "../../protocol/bytes.ts";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { drawn, FRAMES, hashOf, jobOf, ruleOf, streamed, WEIGHTS } from "../../test/harness/merge-jobs.ts";
import { merge } from "../../test/harness/merge-once.ts";
import { sha256Now } from "../lib/signatures.ts";
import { fileStore } from "../store/file-store.ts";
import { nodeFiles } from "../store/node-files.ts";
import { mergeInPool, type ThreadMerger, threadsFor } from "./merge-pool.ts";
import { type Merger, mergeHere } from "./merger.ts";
import { PIECE } from "./step.ts";
import { initialVectors } from "./vectors.ts";

let merger: ThreadMerger | undefined;
afterEach(() => merger?.close());

test("a thread that reads the journal by itself makes the same bytes; of a changed journal it makes none", async () => {
  const directory = await mkdtemp(join(tmpdir(), "merge-pool-"));
  try {
    const store = await fileStore(nodeFiles(directory), memoryIndex(), {
      salt: () => 7,
      segmentBytes: 4_000,
    });
    const appended = FRAMES.map((frame, i) => {
      return store.append(new Uint8Array(i), frame); // an event of i bytes
    });
    const sequences = await Promise.all(appended);
    const places = sequences.toReversed().map((sequence) => store.locate!(sequence)!);
    const vectors = initialVectors(drawn(99));
    const rule = await ruleOf("nesterov");
    const all = FRAMES.map((frame, i) => ({ frame, weight: WEIGHTS[FRAMES.length - 1 - i]! })).toReversed();
    const expected = merge(vectors, all, rule);
    merger = mergeInPool();
    const job = { vectors, weights: WEIGHTS, places, frames: streamed([]) };
    expect(await merger.merge(rule, job)).toEqual(expected);
    const { path, offset, bytes } = places[3]!;
    const segment = await readFile(path);
    segment[offset + bytes - 1]! ^= 1;
    await writeFile(path, segment);
    await expect(merger.merge(rule, job)).rejects.toThrow(/was changed/);
    await store.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("a merge leaves room before the new x, and nothing else is changed by it", async () => {
  merger = mergeInPool();
  const rule = await ruleOf("nesterov");
  const vectors = initialVectors(drawn(99));
  const head = Uint8Array.from({ length: 24 }, (_, i) => i);
  const { vectors: made, model } = await merger.merge(rule, { ...jobOf(vectors), head });
  const { x } = made;
  expect([x.byteOffset, x.buffer.byteLength]).toEqual([24, 24 + x.byteLength]);
  expect(model).toBe(sha256Now(concat(head, bytesOf(x))));
  expect(
    (await merger.merge(rule, { ...jobOf(vectors), head: head.subarray(1) })).model,
    "no file there",
  ).toBe(undefined);
  expect(x).toEqual((await mergeHere.merge(rule, jobOf(vectors))).vectors.x);
});

test.each(["nesterov", "muon"] as const)(
  "%s: a thread makes the bytes that merging here makes, version after version, and after a rest",
  async (kind) => {
    merger = mergeInPool();
    const rule = await ruleOf(kind);
    let vectors = initialVectors(drawn(99));
    for (let version = 0; version < 3; version++) {
      const before = structuredClone(vectors);
      const all = FRAMES.map((frame, i) => ({ frame, weight: WEIGHTS[i]! }));
      const expected = merge(vectors, all, rule);
      expect(await mergeHere.merge(rule, jobOf(vectors))).toEqual(expected);
      const merging = merger.merge(rule, jobOf(vectors));
      await merger.rest(); // of a thread at work, which it leaves alone
      const merged = await merging;
      expect(merged).toEqual(expected);
      if (version === 1) await merger.rest();
      expect(vectors).toEqual(before);
      vectors = merged.vectors;
    }
  },
);

test("a version that could not be published is merged again from the one before it", async () => {
  merger = mergeInPool();
  const rule = await ruleOf("muon");
  const vectors = initialVectors(drawn(99));
  const first = await merger.merge(rule, jobOf(vectors));
  expect(await merger.merge(rule, jobOf(vectors))).toEqual(first);
});

test("while a thread turns matrices the event loop goes on; control: here it stands still", async () => {
  merger = mergeInPool();
  const rule = await ruleOf("muon");
  let turns = 0;
  let counting = true;
  const count = () => {
    turns++;
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  const turnsOf = async (place: Merger) => {
    let before = 0;
    async function* frames() {
      yield* FRAMES;
      before = turns;
    }
    await place.merge(rule, { ...jobOf(initialVectors(drawn(99))), frames: frames() });
    return turns - before;
  };
  expect(await turnsOf(merger)).toBeGreaterThan(0);
  expect(await turnsOf(mergeHere)).toBe(0);
  counting = false;
});

test("three threads make the same bytes as eight, where cuts fall into matrices", async () => {
  const length = 8 * PIECE + 777;
  const matrices = [
    { offset: 3 * PIECE - 50, rows: 60, columns: 40 },
    { offset: 6 * PIECE + 1, rows: 2, columns: 30 },
  ];
  const downlink = { name: "topk", chunk: 4096, k: 64, bits: 4 } as const;
  const rule = { ...(await ruleOf("muon")), downlink, matrices };
  const start = initialVectors(drawn(99, length));
  const frames = [encodeFrame(downlink, drawn(1, length)), encodeFrame(DENSE4, drawn(2, length))];
  const expected = merge(
    start,
    frames.map((frame, i) => ({ frame, weight: 3 + i })),
    rule,
  );
  for (const threads of [3, 8]) {
    await merger?.close();
    merger = mergeInPool({ threads });
    const merged = await merger.merge(rule, { vectors: start, weights: [3, 4], frames: streamed(frames) });
    expect(hashOf(merged)).toEqual(hashOf(expected));
  }
});

test("a merge after the next uses memory again, but not of vectors that are being stored", async () => {
  merger = mergeInPool({ threads: 2 });
  const rule = await ruleOf("nesterov");
  const first = await merger.merge(rule, jobOf(initialVectors(drawn(99))));
  const second = await merger.merge(rule, jobOf(first.vectors));
  const kept = first.vectors.theta.slice();
  const third = await merger.merge(rule, { ...jobOf(second.vectors), storing: first.vectors });
  expect(first.vectors.theta).toEqual(kept);
  const wanted = third.vectors.theta.slice();
  const fourth = await merger.merge(rule, jobOf(third.vectors));
  expect(fourth.vectors.theta.buffer).toBe(first.vectors.theta.buffer); // the control: they are stored by now
  expect(first.vectors.theta).not.toEqual(kept);
  expect(third.vectors.theta).toEqual(wanted);
  const fifth = await merger.merge(rule, jobOf(fourth.vectors));
  expect(fifth.vectors.theta.buffer).toBe(second.vectors.theta.buffer); // no fourth pair of vectors is made
});

test("plain averaging has one momentum for all versions, which an outer step that moves it leaves alone", async () => {
  merger = mergeInPool({ threads: 2 });
  const nesterov = await ruleOf("nesterov");
  const average: typeof nesterov = { ...nesterov, outer: { ...nesterov.outer, kind: "average" } };
  let [vectors, control] = [initialVectors(drawn(99)), initialVectors(drawn(99))];
  for (const rule of [nesterov, average, average, nesterov, average, nesterov]) {
    const merged = await merger.merge(rule, jobOf(vectors));
    const expected = await mergeHere.merge(rule, jobOf(control));
    expect(hashOf(merged)).toEqual(hashOf(expected));
    expect(merged.vectors.momentum.buffer === vectors.momentum.buffer).toBe(rule === average);
    [vectors, control] = [merged.vectors, expected.vectors];
  }
});

test("a small model has one thread, a large one as many as there are cores but one, and eight at most", () => {
  expect([300_000, 10e6, 124e6, 124e6].map((size, i) => threadsFor(size, [8, 4, 4, 64][i]!))).toEqual([
    1, 3, 3, 8,
  ]);
  expect(threadsFor(124e6, 1)).toBe(1);
});
