import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ManualTimer } from "../../test/harness/manual-timer.ts";
import { SILENCE_MS } from "../lib/watchdog.ts";
import { makeCorpusInThread } from "./corpus-thread.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "murmuration-corpus-thread-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const JOB = { dataDir: "", file: "", vocabulary: 256, context: 16, maxTextBytes: 1 };
const PROGRESS = { stage: "reading", done: 1, total: 2 };

/** A thread that tells its progress twice and then hangs, or is done. */
async function makeWith(end: string) {
  const file = join(folder, "worker.mjs");
  const progress = JSON.stringify({ type: "progress", progress: PROGRESS });
  await writeFile(
    file,
    `import { parentPort } from "node:worker_threads";
    for (let i = 0; i < 2; i++) parentPort.postMessage(${progress});
    ${end}`,
  );
  const timer = new ManualTimer();
  const options = { file: pathToFileURL(file), after: timer.after };
  let told = 0;
  const made = makeCorpusInThread(
    JOB,
    () => {
      // Each word buys another silence; after the last one it is too long.
      timer.pass(told++ === 0 ? 0.9 * SILENCE_MS : 0);
      if (told === 2 && end.startsWith("for")) queueMicrotask(() => timer.pass(SILENCE_MS));
    },
    new AbortController().signal,
    options,
  );
  await made;
}

it("gives up a thread that makes a corpus and hangs, and says so", async () => {
  await expect(makeWith("for (;;);")).rejects.toMatchObject({
    code: "internal-error",
    message: "the text could not be read: nothing moved for 10 min",
  });
});

it("waits for one that tells its progress, the control", async () => {
  await makeWith('parentPort.postMessage({ type: "made" });');
});
