import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../model/lib/message-of.ts";
import { addCorpus, addText } from "./add.ts";
import { addDefaultCorpus } from "./default.ts";
import { CorpusError } from "./error.ts";
import type { CorpusJob, FromCorpusThread } from "./messages.ts";
import type { Progress } from "./options.ts";

/** The thread that makes a corpus: reading, counting and encoding keep a processor busy. The main thread is corpus-thread.ts. */

/** Milliseconds between two reports of progress. */
const TELL_MS = 100;

const { dataDir, file, vocabulary, context, maxTextBytes, beside }: CorpusJob = workerData;
const say = (message: FromCorpusThread) => parentPort?.postMessage(message);

let lastReport = { stage: "", at: 0 };
function onProgress(progress: Progress): void {
  const now = performance.now();
  if (progress.stage === lastReport.stage && now - lastReport.at < TELL_MS) return;
  lastReport = { stage: progress.stage, at: now };
  say({ type: "progress", progress });
}

try {
  if (file === "moby-dick") await addDefaultCorpus(dataDir, onProgress, undefined, vocabulary, context);
  else if (beside !== undefined) {
    const { name, weight, duplicates } = beside;
    await addText({
      ...{ files: [file], dataDir, context, onProgress, maxTextBytes },
      names: [name],
      weights: [weight],
      duplicates,
    });
  } else await addCorpus({ files: [file], dataDir, vocabulary, context, onProgress, maxTextBytes });
  say({ type: "made" });
} catch (error) {
  const code = error instanceof CorpusError ? error.code : "internal-error";
  say({ type: "failed", code, message: messageOf(error) });
}
