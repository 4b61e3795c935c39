/**
 * The served run of the load bench, in a process of its own: the program's run, store, routes and sockets over
 * a real data directory. No version is evaluated, which the program does in a thread of its own when it can.
 * Tells its parent its port, and when asked what it measured.
 */
import { join } from "node:path";
import { pino } from "pino";
import { openCorpus } from "../../server/app/run-corpus.ts";
import { createApp } from "../../server/http/app.ts";
import { loadAssets } from "../../server/http/assets.ts";
import { mergeInPool } from "../../server/merge/merge-pool.ts";
import { listen } from "../../server/net/listen.ts";
import { languageTask } from "../../server/run/language-task.ts";
import { openRun } from "../../server/run/run.ts";
import { parseSettings } from "../../server/run/settings.ts";
import { openFileStore } from "../../server/store/open.ts";
import type { ServerFigures, ServerMessage } from "./messages.ts";

const TICK_MS = 250;
/** How often the event loop is asked whether it is late. */
const LOOP_MS = 10;

const [data, settings] = process.argv.slice(2);
if (data === undefined || settings === undefined) throw new Error("usage: server.ts DATA SETTINGS");
const log = pino({ level: "error" }, pino.destination({ fd: 2, sync: true }));
const run = await openRun({
  store: await openFileStore(data),
  corpus: (await openCorpus(data)).corpus,
  settings: parseSettings(JSON.parse(settings)),
  task: languageTask,
  merger: mergeInPool(),
  clock: () => performance.now(),
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  log,
});
let took: number[] = [];
const accept = run.accept.bind(run);
run.accept = async (...upload) => {
  const began = performance.now();
  const receipt = await accept(...upload);
  took.push(performance.now() - began);
  return receipt;
};
const app = createApp(run, {
  assets: await loadAssets(join(import.meta.dirname, "../../dist/client")),
  log,
  proxies: 1, // so that each volunteer can have an address of its own
  now: () => performance.now(),
  closing: new AbortController().signal,
});
const { port } = await listen(app, { host: "127.0.0.1", port: 0 });
setInterval(() => run.tick(), TICK_MS);

let lags: number[] = [];
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  lags.push(Math.max(0, now - last - LOOP_MS));
  last = now;
}, LOOP_MS);
let mostBytes = 0;
let [all, main] = [process.cpuUsage(), process.threadCpuUsage()];
setInterval(() => {
  mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
}, 100);

run.subscribe((event) => {
  if (event.type === "version") tell({ type: "version", at: performance.now(), deltas: event.deltas });
});
process.on("message", (message) => {
  if (message === "reset") {
    lags = [];
    took = [];
    mostBytes = 0;
    [all, main] = [process.cpuUsage(), process.threadCpuUsage()];
    return;
  }
  const [late, accepting] = [inOrder(lags), inOrder(took)];
  const figures: ServerFigures = {
    type: "figures",
    eventLoopP99Ms: late(0.99),
    eventLoopMaxMs: late(1),
    acceptMedianMs: accepting(0.5),
    acceptP99Ms: accepting(0.99),
    rssMiB: Math.max(mostBytes, process.memoryUsage.rss()) / 2 ** 20,
    cpuSeconds: secondsOf(process.cpuUsage(all)),
    mainSeconds: secondsOf(process.threadCpuUsage(main)),
  };
  tell(figures);
});
process.on("disconnect", () => process.exit(0));
tell({ type: "ready", port, manifest: JSON.parse(JSON.stringify(run.manifest())) });

const secondsOf = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1e6;

/** The value that this share of them is below. */
function inOrder(values: readonly number[]): (share: number) => number {
  const sorted = values.toSorted((a, b) => a - b);
  return (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function tell(message: ServerMessage): void {
  process.send?.(message);
}
