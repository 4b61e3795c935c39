import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { ManualTimer } from "../../test/harness/manual-timer.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { drawn, FRAMES, hashOf, jobOf, ruleOf, streamed, WEIGHTS } from "../../test/harness/merge-jobs.ts";
import { SILENCE_MS } from "../lib/watchdog.ts";
import { fileStore } from "../store/file-store.ts";
import { nodeFiles } from "../store/node-files.ts";
import { NotMerged } from "./merge-line.ts";
import { mergeInPool, type ThreadMerger } from "./merge-pool.ts";
import { mergeHere } from "./merger.ts";
import { initialVectors } from "./vectors.ts";

let merger: ThreadMerger | undefined;
afterEach(() => merger?.close());

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
      expect(hashOf(await merger.merge(rule, job))).toEqual(hashOf(expected));
      await store.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test("closed threads merge nothing", async () => {
  merger = mergeInPool();
  await merger.close();
  const job = jobOf(initialVectors(drawn(99)));
  await expect(merger.merge(await ruleOf("muon"), job)).rejects.toThrow(NotMerged);
});
