import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { Random } from "../../model/lib/random.ts";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { ManualTimer } from "../../test/harness/manual-timer.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { SILENCE_MS } from "../lib/watchdog.ts";
import { fileStore } from "../store/file-store.ts";
import { nodeFiles } from "../store/node-files.ts";
import { initialVectors, type MergeRule, merge, type Vectors } from "./merge.ts";
import { mergeInThread, NotMerged, type ThreadMerger } from "./merge-thread.ts";
import { type Merger, mergeHere } from "./merger.ts";

const LENGTH = 30 * 40 + 25;

function drawn(seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length: LENGTH }, () => random.below(2_000_001) / 1e6 - 1);
}

async function ruleOf(kind: "nesterov" | "muon"): Promise<MergeRule> {
  const orthogonalizer = await Orthogonalizer.open();
  return {
    outer: { kind, rate: 0.7, momentum: 0.3 },
    downlink: DENSE4,
    matrices: [{ offset: 25, rows: 30, columns: 40 }],
    orthogonalize: orthogonalizer.apply.bind(orthogonalizer),
  };
}

/** Frames as the journal gives them: pieces of a larger buffer. */
const FRAMES = Array.from({ length: 9 }, (_, i) => {
  const frame = encodeFrame(DENSE4, drawn(i + 1));
  const block = new Uint8Array(frame.length + 20);
  block.set(frame, 10);
  return block.subarray(10, 10 + frame.length);
});
const WEIGHTS = FRAMES.map((_, i) => 100 + i);

async function* streamed(frames: readonly Uint8Array<ArrayBuffer>[] = FRAMES) {
  yield* frames;
}
const jobOf = (vectors: Vectors) => ({ vectors, weights: WEIGHTS, frames: streamed() });

let merger: ThreadMerger | undefined;
afterEach(() => merger?.close());

test("a thread that reads the journal by itself makes the same bytes; of a changed journal it makes none", async () => {
  const directory = await mkdtemp(join(tmpdir(), "merge-thread-"));
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
    merger = mergeInThread();
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
  merger = mergeInThread();
  const rule = await ruleOf("nesterov");
  const vectors = initialVectors(drawn(99));
  const { x } = (await merger.merge(rule, { ...jobOf(vectors), lead: 24 })).vectors;
  expect([x.byteOffset, x.buffer.byteLength]).toEqual([24, 24 + x.byteLength]);
  expect(x).toEqual((await mergeHere.merge(rule, jobOf(vectors))).vectors.x);
});

test.each(["nesterov", "muon"] as const)(
  "%s: a thread makes the bytes that merging here makes, version after version, and after a rest",
  async (kind) => {
    merger = mergeInThread();
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
  merger = mergeInThread();
  const rule = await ruleOf("muon");
  const vectors = initialVectors(drawn(99));
  const first = await merger.merge(rule, jobOf(vectors));
  expect(await merger.merge(rule, jobOf(vectors))).toEqual(first);
});

test("a frame that cannot be read, or a result that is no number, fails alone: the next merge is sound", async () => {
  merger = mergeInThread();
  const rule = await ruleOf("nesterov");
  const vectors = initialVectors(drawn(99));
  const expected = await merger.merge(rule, jobOf(vectors));
  async function* broken() {
    yield FRAMES[0]!;
    throw new Error("the disk is gone");
  }
  await expect(merger.merge(rule, { ...jobOf(vectors), frames: broken() })).rejects.toThrow(
    "the disk is gone",
  );
  await expect(
    merger.merge(rule, jobOf({ ...vectors, theta: vectors.theta.map(() => Number.NaN) })),
  ).rejects.toThrow(NotMerged);
  expect(await merger.merge(rule, jobOf(vectors))).toEqual(expected);
});

test("while a thread turns matrices the event loop goes on; control: here it stands still", async () => {
  merger = mergeInThread();
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

test("a thread that hangs is given up and the next merge makes the same bytes; control: one that works is waited for", async () => {
  const folder = await mkdtemp(join(tmpdir(), "merge-thread-"));
  try {
    // Hangs over a job's end the first time, and is the real thread after.
    const [file, mark] = [join(folder, "worker.mjs"), join(folder, "hung")];
    const real = new URL("./merge-worker.ts", import.meta.url).href;
    await writeFile(
      file,
      `import { existsSync, writeFileSync } from "node:fs";
      import { parentPort } from "node:worker_threads";
      if (existsSync(${JSON.stringify(mark)})) await import(${JSON.stringify(real)});
      else parentPort.on("message", ({ type }) => {
        if (type === "frame") parentPort.postMessage({ type: "added" });
        if (type !== "finish") return;
        parentPort.postMessage({ type: "working" });
        writeFileSync(${JSON.stringify(mark)}, "");
        for (;;);
      });`,
    );
    const timer = new ManualTimer();
    merger = mergeInThread(pathToFileURL(file), timer.after);
    const rule = await ruleOf("nesterov");
    const vectors = initialVectors(drawn(99));
    const settled = vi.fn();
    const hangs = merger.merge(rule, jobOf(vectors));
    hangs.then(settled, settled);
    await vi.waitFor(() => expect(existsSync(mark)).toBe(true), 30_000);
    timer.pass(SILENCE_MS - 1);
    await new Promise(setImmediate);
    expect(settled).not.toHaveBeenCalled();
    timer.pass(SILENCE_MS);
    await expect(hangs).rejects.toThrow(/said nothing for 600 s/);
    const expected = await mergeHere.merge(rule, jobOf(vectors));
    expect(await merger.merge(rule, jobOf(vectors))).toEqual(expected);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a closed thread merges nothing", async () => {
  merger = mergeInThread();
  await merger.close();
  const job = jobOf(initialVectors(drawn(99)));
  await expect(merger.merge(await ruleOf("muon"), job)).rejects.toThrow(NotMerged);
});
