import { Worker } from "node:worker_threads";
import type { After } from "../../model/lib/deadline.ts";
import { SILENCE_MS, Watchdog } from "../lib/watchdog.ts";
import { workerBeside } from "../lib/worker-file.ts";
import type { CorpusJob, FromCorpusThread } from "./messages.ts";
import type { Progress } from "./options.ts";

const WORKER = workerBeside(import.meta.url, "corpus-worker");

/** Why no run was made: a stable code, and words for the operator. */
export class CorpusFailed extends Error {
  override readonly name = "CorpusFailed";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Makes a directory's corpus in a thread of its own. Rejects with {@link CorpusFailed}; the directory is then as it
 * was. `signal` ends the thread where it stands: what it leaves is cleared away by the next that makes one.
 */
export async function makeCorpusInThread(
  job: CorpusJob,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  { file = WORKER, after }: { readonly file?: URL; readonly after?: After } = {},
): Promise<void> {
  signal.throwIfAborted();
  const worker = new Worker(file, { workerData: job });
  const stop = () => void worker.terminate();
  signal.addEventListener("abort", stop);
  let dog: Watchdog | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const hangs = (ms: number) =>
        reject(
          new CorpusFailed(
            "internal-error",
            `the text could not be read: nothing moved for ${ms / 60_000} min`,
          ),
        );
      dog = new Watchdog(hangs, after);
      dog.start(SILENCE_MS);
      worker.on("message", (message: FromCorpusThread) => {
        dog?.heard();
        if (message.type === "progress") onProgress(message.progress);
        else if (message.type === "made") resolve();
        else reject(new CorpusFailed(message.code, message.message));
      });
      worker.on("error", (error) => reject(error));
      worker.on("exit", (code) =>
        reject(new Error(`the thread that makes the corpus ended with code ${code}`)),
      );
    });
  } finally {
    dog?.stop();
    signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
