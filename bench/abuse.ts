/**
 * Strangers against real servers, each a process of its own: a run whose browsers share, one by HTTPS, and one that is
 * yet to be made. Every form of request on bare sockets, reset, half-closed or left in silence after any byte; floods of
 * signed and unsigned requests, announcements, names, teams, links, codes, measurements, texts that the model is to write, pages
 * of whoever is not there, forgetting and packed bodies; an operator's packed texts.
 *
 * `npm run bench -- abuse [--json] [--seconds N]`
 *
 * The sweep is made twice, N seconds each (150, five minutes in all), and memory is measured before, between and after, when the last connection
 * was closed, all garbage collected and V8's empty pages given back: the heap with its buffers, and what the system
 * counts as resident. The first sweep brings a process to its working size: it loads code, and allocators keep what they were
 * given. A leak grows in the second sweep as it did in the first, so the second one is held to the bound, and the growth
 * of both is printed.
 * With `--json` the last line is one JSON object; exits 1 after a crash, a leaked socket or 20 MiB that the second sweep
 * did not give back.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { ProtocolError } from "../protocol/errors.ts";
import { addCorpus } from "../server/corpus/add.ts";
import { BRIEF_RUN } from "../test/harness/server-process.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../test/tls-fixture.ts";
import { askers, type Deed, packedTexts, rude, silent, writesForAll } from "./abuse/floods.ts";
import type { Held } from "./abuse/probe.ts";
import { Served } from "./abuse/served.ts";
import { benchFlags, countOf } from "./lib/flags.ts";

/** MiB of memory that may be left over. */
const MAX_LEAKED_MIB = 20;
/** Deeds of one kind that are done at once. */
const AT_ONCE = { rude: 16, silent: 64, askers: 8, packed: 1 };
const MIB = 1024 * 1024;

const flags = benchFlags({ seconds: { type: "string", default: "150" } });
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
  const fresh = await settle();
  await abuse(deeds, seconds);
  const warm = await settle();
  await abuse(deeds, seconds);
  report(fresh, warm, await settle());
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
  await writesForAll(sharing.link);
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

type Measured = readonly (Held | undefined)[];

async function settle(): Promise<Measured> {
  const held: (Held | undefined)[] = [];
  for (const server of servers) held.push(await server.settled());
  return held;
}

function report(fresh: Measured, warm: Measured, after: Measured): void {
  let leakedSockets = heldSockets;
  for (const [i, server] of servers.entries()) {
    const [before, between, last] = [fresh[i], warm[i], after[i]];
    if (before === undefined || between === undefined || last === undefined) continue;
    leakedSockets += last.sockets;
    const of = (key: "bytes" | "rss") =>
      [before, between, last].map((held) => (held[key] / MIB).toFixed(0)).join(", ");
    console.log(
      `${server.name}: ${last.sockets} connections left; MiB before, between and after the sweeps: heap and ` +
        `buffers ${of("bytes")}; resident ${of("rss")}`,
    );
  }
  for (const [why, times] of mishaps) console.log(`${times} times: ${why}`);
  const ended = servers.filter((server) => server.ended !== undefined);
  for (const server of ended) console.log(`${server.name}: ended (${server.ended})`);
  const crashes = ended.length;
  const [warmUpMiB, leakedMiB] = [growth(fresh, warm), growth(warm, after)];
  console.log(`grew by ${warmUpMiB} MiB at most in the first sweep, and by ${leakedMiB} MiB in the second`);
  console.log(
    `${requests} requests in twice ${seconds} s; the slowest /healthz took ${slowestHealthzMs.toFixed(0)} ms, ` +
      `and ${unanswered} had no answer`,
  );
  if (flags.json) {
    const figures = {
      ...{ requests, crashes, leakedSockets },
      leakedMiB,
      slowestHealthzMs: Math.round(slowestHealthzMs),
      warmUpMiB,
    };
    console.log(JSON.stringify(figures));
  }
  if (crashes + leakedSockets > 0 || leakedMiB > MAX_LEAKED_MIB) process.exitCode = 1;
}

/** MiB by which the server that grew the most grew, resident or in its heap and buffers; 0 where none did. */
function growth(from: Measured, to: Measured): number {
  const grown = from.map((before, i) => {
    const after = to[i];
    if (before === undefined || after === undefined) return 0;
    return Math.max(after.bytes - before.bytes, after.rss - before.rss) / MIB;
  });
  return Math.round(10 * Math.max(0, ...grown)) / 10;
}
