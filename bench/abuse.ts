/**
 * Strangers against real servers, each a process of its own: a run whose browsers share, one by HTTPS, and one that is
 * yet to be made. Every form of request on bare sockets, reset, half-closed or left in silence after any byte; floods of
 * signed and unsigned requests, announcements, names, forgetting and packed bodies; an operator's packed texts.
 *
 * `npm run bench -- abuse [--json] [--seconds N]`
 *
 * A tenth of the time, twenty seconds at most, goes before the first measurement, so that pools and caches have their
 * size. Memory is the heap and its buffers, after all garbage was collected and the last connection was closed.
 * With `--json` the last line is one JSON object; exits 1 after a crash, a leaked socket or 20 MiB that were not given
 * back.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ProtocolError } from "../protocol/errors.ts";
import { addCorpus } from "../server/corpus/add.ts";
import { BRIEF_RUN } from "../test/harness/server-process.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../test/tls-fixture.ts";
import { askers, type Deed, packedTexts, rude, silent } from "./abuse/floods.ts";
import type { Held } from "./abuse/probe.ts";
import { Served } from "./abuse/served.ts";
import { benchFlags, countOf } from "./lib/flags.ts";

/** MiB of memory that may be left over. */
const MAX_LEAKED_MIB = 20;
/** Deeds of one kind that are done at once. */
const AT_ONCE = { rude: 16, silent: 64, askers: 8, packed: 1 };
const MIB = 1024 * 1024;

const flags = benchFlags({ seconds: { type: "string", default: "300" } });
const seconds = countOf("seconds", flags.seconds);
process.env.NODE_NO_WARNINGS = "1";

const folder = await mkdtemp(join(tmpdir(), "murmuration-abuse-"));
const servers = await startServers();
let requests = 0;
let slowestHealthzMs = 0;
let unanswered = 0;
let heldSockets = 0;
/** Of what went wrong other than by the server's refusal, how often. */
const mishaps = new Map<string, number>();

const monitor = new Worker(new URL("./abuse/health.ts", import.meta.url), {
  workerData: { origins: servers.map(({ link }) => link.origin) },
});
monitor.on("message", ({ ms }: { readonly ms: number | undefined }) => {
  requests++;
  if (ms === undefined) unanswered++;
  else slowestHealthzMs = Math.max(slowestHealthzMs, ms);
});

try {
  const deeds = await deedsOf(servers);
  await abuse(deeds, Math.min(20, seconds / 10));
  const before = await settle();
  slowestHealthzMs = 0;
  await abuse(deeds, seconds);
  const after = await settle();
  report(before, after);
} finally {
  await monitor.terminate();
  for (const server of servers) await server.end();
  await rm(folder, { recursive: true, force: true });
}

async function startServers(): Promise<readonly [sharing: Served, secure: Served, empty: Served]> {
  const file = (name: string) => join(folder, name);
  await writeFile(file("text.txt"), "The whale, the ship and the sea. ".repeat(2_000));
  await writeFile(file("run.json"), JSON.stringify({ ...BRIEF_RUN, peers: { on: true } }));
  await writeFile(file("cert.pem"), CERTIFICATE);
  await writeFile(file("key.pem"), PRIVATE_KEY);
  for (const dataDir of [file("sharing"), file("secure")]) {
    await addCorpus({ files: [file("text.txt")], dataDir, vocabulary: 256 });
  }
  const run = ["--run", file("run.json")];
  const tls = ["--tls-cert", file("cert.pem"), "--tls-key", file("key.pem")];
  return [
    await Served.start("a run whose browsers share", "--data", file("sharing"), ...run),
    await Served.start("a run by HTTPS", "--data", file("secure"), ...run, ...tls),
    await Served.start("a run to be made", "--data", file("empty"), "--create"),
  ];
}

/** What is done, each so many times at once. */
async function deedsOf([sharing, secure, empty]: Awaited<ReturnType<typeof startServers>>): Promise<Deed[]> {
  const times = (count: number, deed: Deed) => Array.from({ length: count }, () => deed);
  const onSockets = [sharing, secure, empty].flatMap(({ target }) => [
    ...times(AT_ONCE.rude, rude(target)),
    ...times(AT_ONCE.silent, silent(target)),
  ]);
  return [
    ...onSockets,
    ...times(AT_ONCE.askers, await askers(sharing.link.origin)),
    ...times(AT_ONCE.packed, await packedTexts(empty.link)),
  ];
}

/** Does all of it for so long, and waits for what was begun. */
async function abuse(deeds: readonly Deed[], forSeconds: number): Promise<void> {
  const end = performance.now() + 1_000 * forSeconds;
  await Promise.all(
    deeds.map(async (deed) => {
      while (performance.now() < end && servers.every(({ ended }) => ended === undefined)) {
        requests++;
        await deed().catch((error: unknown) => {
          if (error instanceof ProtocolError) return; // refused, as most of it should be
          const why = error instanceof Error ? error.message : String(error);
          if (why.startsWith("held: ")) heldSockets++;
          mishaps.set(why, (mishaps.get(why) ?? 0) + 1);
        });
      }
    }),
  );
}

async function settle(): Promise<(Held | undefined)[]> {
  const held: (Held | undefined)[] = [];
  for (const server of servers) held.push(await server.settled());
  return held;
}

function report(before: readonly (Held | undefined)[], after: readonly (Held | undefined)[]): void {
  let leakedSockets = heldSockets;
  let leakedMiB = 0;
  for (const [i, server] of servers.entries()) {
    const [from, to] = [before[i], after[i]];
    if (from === undefined || to === undefined) continue;
    const [bytes, rss] = [(to.bytes - from.bytes) / MIB, (to.rss - from.rss) / MIB];
    leakedSockets += to.sockets;
    leakedMiB = Math.max(leakedMiB, bytes);
    console.log(
      `${server.name}: ${to.sockets} connections left; heap and buffers ${(from.bytes / MIB).toFixed(1)} MiB ` +
        `${bytes < 0 ? "−" : "+"} ${Math.abs(bytes).toFixed(1)}; resident ${(from.rss / MIB).toFixed(0)} MiB ` +
        `${rss < 0 ? "−" : "+"} ${Math.abs(rss).toFixed(0)}`,
    );
  }
  for (const [why, times] of mishaps) console.log(`${times} times: ${why}`);
  const ended = servers.filter((server) => server.ended !== undefined);
  for (const server of ended) console.log(`${server.name}: ended (${server.ended})`);
  const crashes = ended.length;
  console.log(
    `${requests} requests in ${seconds} s; the slowest /healthz took ${slowestHealthzMs.toFixed(0)} ms, ` +
      `and ${unanswered} had no answer`,
  );
  if (flags.json) {
    const figures = {
      ...{ requests, crashes, leakedSockets },
      leakedMiB: Math.round(10 * leakedMiB) / 10,
      slowestHealthzMs: Math.round(slowestHealthzMs),
    };
    console.log(JSON.stringify(figures));
  }
  if (crashes + leakedSockets > 0 || leakedMiB > MAX_LEAKED_MIB) process.exitCode = 1;
}
