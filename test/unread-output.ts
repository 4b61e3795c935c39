import { connect } from "node:net";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { boundedOutput } from "../server/lib/bounded-output.ts";

/**
 * A process that writes 100 kB a tick to its stdout: `node unread-output.ts PORT bounded|bare`. It tells the port on this
 * machine how many ticks it had and how much waits, once it has had them all or stood still.
 */
export const TICKS = 100;
/** Milliseconds without a tick after which it stands still: far more than a busy machine takes for one. */
const STILL_MS = 8_000;

interface Shared {
  readonly port: number;
  /** Ticks, and characters that wait. */
  readonly counts: Int32Array<SharedArrayBuffer>;
}

/** On a thread of its own, which a main thread that waits for a terminal does not hold up. */
function watch({ port, counts }: Shared): void {
  for (let ticks = 0; ticks < TICKS; ticks = Atomics.load(counts, 0)) {
    if (Atomics.wait(counts, 0, ticks, STILL_MS) === "timed-out") break;
  }
  connect(port, "127.0.0.1").end(`${Atomics.load(counts, 0)} ${Atomics.load(counts, 1)}`);
}

function flood(port: number, bounded: boolean): void {
  const counts = new Int32Array(new SharedArrayBuffer(8));
  new Worker(new URL(import.meta.url), { workerData: { port, counts } satisfies Shared });
  const output = bounded ? boundedOutput(process.stdout) : process.stdout;
  const timer = setInterval(() => {
    for (let i = 0; i < 10; i++) output.write(`${"x".repeat(9_999)}\n`);
    Atomics.store(counts, 1, process.stdout.writableLength);
    if (Atomics.add(counts, 0, 1) + 1 === TICKS) clearInterval(timer);
    Atomics.notify(counts, 0);
  }, 1);
}

// Vitest imports this file too, on the main thread or on one of its own, for TICKS alone.
if (process.argv[1] === import.meta.filename) {
  if (isMainThread) flood(Number(process.argv[2]), process.argv[3] === "bounded");
  else watch(workerData);
}
