import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Watchdog } from "../lib/watchdog.ts";
import { workerBeside } from "../lib/worker-file.ts";
import { CorpusError } from "./error.ts";
import { linesOf } from "./lines.ts";
import { type FromParquetProcess, type ParquetArguments, TEXTS_FD } from "./parquet-messages.ts";

const PROCESS = workerBeside(import.meta.url, "parquet-process");

/** MiB of the heap of the process that reads: a footer and a page's list of texts, with room. */
const HEAP_MIB = 384;
/** Milliseconds that it may think about one page. */
const MAX_THOUGHT_MS = 60_000;

export interface ParquetReading {
  readonly file: string;
  /** What it is called in messages. */
  readonly name: string;
  readonly column: string;
  /** Bytes of the file; their count goes to `onBytes`. */
  readonly size: number;
  readonly onBytes: (bytes: number) => void;
  /** Hears of each row that is left out for it has no text; without it such a row is thrown. */
  readonly onBadRow?: ((error: CorpusError) => void) | undefined;
  /** Bytes that the texts may have together. */
  readonly limit?: number | undefined;
  readonly heapMib?: number;
  readonly maxThoughtMs?: number;
}

/**
 * The texts of a Parquet file's column, row by row, read in a process of its own. Throws `bad-parquet` also where that
 * process dies or falls silent, `unknown-field`, `unknown-codec`, `not-utf8` and `too-large`.
 */
export async function* readParquetTexts(reading: ParquetReading): AsyncGenerator<string, void, undefined> {
  const { file, name, column, size, onBytes, limit = Number.POSITIVE_INFINITY } = reading;
  const args: ParquetArguments = [file, name, column];
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${reading.heapMib ?? HEAP_MIB}`, fileURLToPath(PROCESS), ...args],
    // No variables: among them may be secrets, and none of them concerns it.
    { stdio: ["pipe", "ignore", "ignore", "pipe"], env: {} },
  );
  const closed = once(child, "close").then(
    () => {},
    () => {}, // could not be started: there will be no line
  );
  const texts = child.stdio[TEXTS_FD];
  if (!(texts instanceof Readable)) throw new Error("the process has no pipe");
  let isSilent = false;
  const dog = new Watchdog(() => {
    isSilent = true;
    child.kill("SIGKILL");
  });
  let [done, total] = [0, 0];
  const advance = (to: number) => {
    if (to > done) onBytes(to - done);
    done = Math.max(done, to);
  };
  try {
    for await (const line of linesOf(timed(texts, dog, reading.maxThoughtMs ?? MAX_THOUGHT_MS), name)) {
      const message: FromParquetProcess = JSON.parse(line); // our own process's
      if (typeof message === "string") {
        total += Buffer.byteLength(message);
        if (total > limit) throw new CorpusError("too-large", `${name} unpacks to more than ${limit} bytes`);
        yield message;
      } else if (message.type === "progress") advance(message.at);
      else if (message.type === "null") {
        const error = new CorpusError(
          "unknown-field",
          `${name}, row ${message.row}: "${column}" is null, not text`,
        );
        if (reading.onBadRow === undefined) throw error;
        reading.onBadRow(error);
      } else if (message.type === "failed") throw new CorpusError(message.code, message.message);
      else return advance(size);
    }
    const why = isSilent ? "takes too long" : "takes too much memory, or the machine has too little";
    throw new CorpusError("bad-parquet", `${name} cannot be read: its reading ${why}`);
  } finally {
    dog.stop();
    child.kill("SIGKILL");
    await closed;
  }
}

/** Passes pieces on, with the dog awake only while the next is waited for. */
async function* timed(pieces: Readable, dog: Watchdog, ms: number): AsyncGenerator<string> {
  pieces.setEncoding("utf8");
  dog.start(ms);
  for await (const piece of pieces) {
    dog.stop();
    yield piece;
    dog.start(ms);
  }
}
