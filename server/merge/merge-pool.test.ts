import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { Random } from "../../model/lib/random.ts";
import { DENSE2, DENSE4, F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { ManualTimer } from "../../test/harness/manual-timer.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { SILENCE_MS } from "../lib/watchdog.ts";
import { fileStore } from "../store/file-store.ts";
import { nodeFiles } from "../store/node-files.ts";
import { type MeanHelpers, meanOf } from "./means.ts";
import { type Merged, merge } from "./merge.ts";
import { NotMerged } from "./merge-line.ts";
import { mergeInPool, type ThreadMerger, threadsFor } from "./merge-pool.ts";
import { type Merger, mergeHere } from "./merger.ts";
import type { MergeRule } from "./step.ts";
import { PIECE, partsFor } from "./step.ts";
import type { TurnHelpers } from "./turns.ts";
import { initialVectors, type Vectors } from "./vectors.ts";

const LENGTH = 30 * 40 + 25;

function drawn(seed: number, length = LENGTH): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.below(2_000_001) / 1e6 - 1);
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
  const { x } = (await merger.merge(rule, { ...jobOf(vectors), lead: 24 })).vectors;
  expect([x.byteOffset, x.buffer.byteLength]).toEqual([24, 24 + x.byteLength]);
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

test("a frame that cannot be read, or a result that is no number, fails alone: the next merge is sound", async () => {
  merger = mergeInPool();
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

test("a thread that hangs is given up and the next merge makes the same bytes; control: one that works is waited for", async () => {
  const folder = await mkdtemp(join(tmpdir(), "merge-pool-"));
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
        if (type !== "finish") return parentPort.postMessage({ type: "done", ms: 0 });
        writeFileSync(${JSON.stringify(mark)}, "");
        for (;;);
      });`,
    );
    const timer = new ManualTimer();
    merger = mergeInPool({ threads: 2, file: pathToFileURL(file), after: timer.after });
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
    expect(bytesIn(merged)).toEqual(bytesIn(expected));
    expect(merged.norm).toBe(expected.norm);
  }
});

/** Hashes: comparing millions of values one by one takes longer than making them. */
const bytesIn = ({ vectors: { x, theta, momentum }, diff }: Merged) =>
  [x, theta, momentum, diff].map((values) => createHash("sha256").update(values).digest("hex"));

test("a merge after the next uses memory again, but not of vectors that are being stored", async () => {
  merger = mergeInPool({ threads: 2 });
  const rule = await ruleOf("nesterov");
  const first = await merger.merge(rule, jobOf(initialVectors(drawn(99))));
  const second = await merger.merge(rule, jobOf(first.vectors));
  const kept = first.vectors.theta.slice();
  const third = await merger.merge(rule, { ...jobOf(second.vectors), storing: first.vectors });
  expect(first.vectors.theta).toEqual(kept);
  const [expected, wanted] = [second.vectors.theta.slice(), third.vectors.theta.slice()];
  const fourth = await merger.merge(rule, jobOf(third.vectors));
  expect(fourth.vectors.theta.buffer).toBe(second.vectors.theta.buffer); // the control: nobody stores it
  expect(second.vectors.theta).not.toEqual(expected);
  expect(third.vectors.theta).toEqual(wanted);
});

test.each(["read", "turn", "finish"])(
  "a thread that is killed at %s costs that merge; the next one makes the same bytes",
  async (type) => {
    const folder = await mkdtemp(join(tmpdir(), "merge-pool-"));
    try {
      const [file, mark] = [join(folder, "worker.mjs"), join(folder, "killed")];
      const real = new URL("./merge-worker.ts", import.meta.url).href;
      await writeFile(
        file,
        `import { existsSync, writeFileSync } from "node:fs";
        import { parentPort } from "node:worker_threads";
        const on = parentPort.on.bind(parentPort);
        parentPort.on = (name, listen) => on(name, (message) => {
          if (message.type !== ${JSON.stringify(type)} || existsSync(${JSON.stringify(mark)})) return listen(message);
          writeFileSync(${JSON.stringify(mark)}, "");
          process.exit(1);
        });
        await import(${JSON.stringify(real)});`,
      );
      const store = await fileStore(nodeFiles(folder), memoryIndex(), { salt: () => 7, segmentBytes: 4_000 });
      await Promise.all(FRAMES.map((frame) => store.append(new Uint8Array(), frame)));
      merger = mergeInPool({ threads: 3, file: pathToFileURL(file) });
      const places = FRAMES.map((_, sequence) => store.locate!(sequence)!);
      const rule = await ruleOf("muon");
      const vectors = initialVectors(drawn(99));
      const expected = await mergeHere.merge(rule, jobOf(vectors));
      const job = { vectors, weights: WEIGHTS, places, frames: streamed([]) };
      await expect(merger.merge(rule, job)).rejects.toThrow(/ended with code 1/);
      expect(bytesIn(await merger.merge(rule, job))).toEqual(bytesIn(expected));
      await store.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test("a small model has one thread, a large one as many as there are cores but one, and eight at most", () => {
  expect([300_000, 10e6, 124e6, 124e6].map((size, i) => threadsFor(size, [8, 4, 4, 64][i]!))).toEqual([
    1, 3, 3, 8,
  ]);
  expect(threadsFor(124e6, 1)).toBe(1);
});

test("closed threads merge nothing", async () => {
  merger = mergeInPool();
  await merger.close();
  const job = jobOf(initialVectors(drawn(99)));
  await expect(merger.merge(await ruleOf("muon"), job)).rejects.toThrow(NotMerged);
});

const oddLength = 25 + 260 * 300 + 77 + 300 * 230 + 3;
const matrices = [
  { offset: 25, rows: 260, columns: 300 },
  { offset: 25 + 260 * 300 + 77, rows: 300, columns: 230 },
];
const orthogonalizer = await Orthogonalizer.open();
const orthogonalize = orthogonalizer.apply.bind(orthogonalizer);
/** A merge of an odd shape, and what comes of it by one thread. */
const odd = {
  vectors: initialVectors(drawn(99, oddLength)),
  frames: [1, 2, 3].map((seed) => encodeFrame(DENSE4, drawn(seed, oddLength))),
  weights: [1, 2, 5],
  hashes: new Map<string, string>(),
};

test.each([1, 2, 4, 8])(
  "with %d helpers, of which one says nothing, the bytes are the same for every outer step, codec and odd shape",
  async (helped) => {
    let asked = 0;
    const helpers: TurnHelpers & MeanHelpers = {
      mean: async () => undefined,
      merges: helped,
      turn: async (values, rows, columns) => {
        if (asked++ % 2 === 1) return new Promise(() => {}); // killed in the middle
        orthogonalize(values, rows, columns);
        return { values, who: "worker", checked: false };
      },
      distrust: (who) => expect.fail(who),
    };
    merger = mergeInPool({ threads: 1, helpers: () => helpers });
    for (const [kind, downlink] of [
      ["muon", DENSE2],
      ["muon", DENSE4],
      ["muon", F32],
      ["nesterov", DENSE2],
      ["average", DENSE4],
    ] as const) {
      const rule: MergeRule = {
        outer: { kind, rate: 0.7, momentum: 0.3 },
        downlink,
        matrices,
        orthogonalize,
      };
      const { vectors, frames, weights } = odd;
      const name = `${kind} ${JSON.stringify(downlink)}`;
      if (!odd.hashes.has(name)) {
        const all = frames.map((frame, i) => ({ frame, weight: weights[i]! }));
        odd.hashes.set(name, hashOf(merge(vectors, all, rule)));
      }
      const merged = await merger.merge(rule, { vectors, weights, frames: streamed(frames) });
      expect(hashOf(merged), name).toBe(odd.hashes.get(name));
    }
    expect(asked).toBeGreaterThan(0);
  },
);

test("a mean that was made elsewhere, part by part, gives the same bytes, and no frame is read here; else all are", async () => {
  const length = 2 * PIECE + 77;
  const rule = await ruleOf("muon");
  const frames = [1, 2, 3].map((seed) => encodeFrame(DENSE4, drawn(seed, length)));
  const weights = [1, 2, 5];
  const vectors = initialVectors(drawn(99, length));
  const all = frames.map((frame, i) => ({ frame, weight: weights[i]! }));
  const expected = hashOf(merge(vectors, all, rule));
  const away = { records: [0, 1, 2], frameBytes: 1 };
  let how = { read: 0, checked: false, wrong: false, distrusted: [] as string[] };
  const here = async function* () {
    for (const frame of frames) {
      how.read++;
      yield frame;
    }
  };
  const helpers: TurnHelpers & MeanHelpers = {
    mean: async ({ shares }) => ({
      checked: how.checked,
      parts: await Promise.all(
        partsFor(3, length).map(async (part, i) => {
          const values = await meanOf(streamed(frames), { shares, ...part }, length);
          if (how.wrong && i === 1) values[7]! += 0.5;
          return { from: part.from, values, who: `worker ${i}` };
        }),
      ),
    }),
    distrust: (who) => void how.distrusted.push(who),
    ...{ merges: 0, turn: async () => undefined },
  };
  merger = mergeInPool({ threads: 2, helpers: () => helpers });
  const merged = async (changes: Partial<typeof how>) => {
    how = { read: 0, checked: false, wrong: false, distrusted: [], ...changes };
    const made = await merger!.merge(rule, { vectors, weights, away, frames: here() });
    return [hashOf(made) === expected, how.read, how.distrusted];
  };
  expect(await merged({})).toEqual([true, 0, []]);
  expect(await merged({ checked: true })).toEqual([true, 3, []]);
  expect(await merged({ checked: true, wrong: true }), "found out, and no harm done").toEqual([
    true,
    3,
    ["worker 1"],
  ]);
  expect(await merged({ wrong: true }), "the control").toEqual([false, 0, []]);
});

/** Of all that a merge gives. */
const hashOf = ({ vectors, diff, norm }: Merged) => {
  const hash = createHash("sha256").update(diff).update(String(norm));
  for (const values of [vectors.x, vectors.theta, vectors.momentum])
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return hash.digest("hex");
};
