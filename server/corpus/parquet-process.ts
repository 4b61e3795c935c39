import { Worker } from "node:worker_threads";
import { workerBeside } from "../lib/worker-file.ts";

/**
 * The process that reads a Parquet file; parquet.ts starts it. A file can fill its heap or hold it in a loop, and either
 * ends this process alone. A thread in the server would not do: one whose heap is full takes the server with it.
 */

// Whoever reads the texts holds the other end: gone, it wants no more of them, even where the thread is in a loop.
process.stdin.resume().once("close", () => process.exit());
const thread = new Worker(workerBeside(import.meta.url, "parquet-worker"), { argv: process.argv.slice(2) });
thread.once("exit", () => process.exit());
