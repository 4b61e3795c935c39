import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { RunId } from "../../protocol/ids.ts";
import { FakeJobs } from "../../test/harness/fake-jobs.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import { until } from "../../test/harness/tiny-run.ts";
import { LockedError } from "../data-dir/error.ts";
import { lockDirectory } from "../data-dir/lock.ts";
import type { LeaderLine, PassedRequest } from "../lib/passing.ts";
import { MirrorError } from "../mirror/target.ts";
import { MAX_OPERATOR_BYTES } from "../net/limits.ts";
import { Networks } from "../net/network.ts";
import { StoreError } from "../store/store.ts";
import type { WorkerTask } from "../workers/tasks.ts";
import type { SeatOpens, SeatParts } from "./cluster-seat.ts";
import { ClusterSeat } from "./cluster-seat.ts";

const CLUSTER = { address: "nats://a,b,c", unsafe: false, key: "server.key" };

/** Rejects where a server is stopped while another one leads. */
const stopped = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

/** A seat, the cluster and the app that it deals with, and all that happened in order. */
function world(...tasks: WorkerTask[]) {
  const happened: string[] = [];
  const stop = new AbortController();
  const directory = mkdtempSync(join(tmpdir(), "murmuration-seat-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const edges: { lose: () => void }[] = [];
  let failures: Error[] = [];
  let refusals: Error[] = [];
  let unsynced: Error[] = [];
  let handler: Parameters<LeaderLine["answer"]>[0] | undefined;
  const lease = Promise.withResolvers<void>();
  const line: LeaderLine = {
    answer: (given) => {
      handler = given;
    },
    ask: () => Promise.reject(new Error("nobody asks")),
    leader: async () => undefined,
    tell: (beat) => void told.push(beat.clock),
    hear() {},
  };
  const told: number[] = [];
  const opens: SeatOpens = {
    async store(_directory, _cluster, { standBy, led } = {}) {
      standBy?.waiting("one:1");
      await Promise.race([lease.promise, stopped(standBy?.signal)]);
      await led?.().over;
      happened.push("store open");
      return { ...memoryStore(), line, jobs: new FakeJobs().end() };
    },
    async edge() {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      const name = `edge ${edges.length}`;
      const lost = new AbortController();
      edges.push({ lose: () => lost.abort() });
      happened.push(`${name} open`);
      const service = { manifest: () => ({ run: "the run" }) };
      const parts = { service, passing: {}, health: {}, claims: {} } as unknown as Pick<
        Awaited<ReturnType<SeatOpens["edge"]>>,
        "service" | "passing" | "health" | "claims"
      >;
      return {
        ...parts,
        waiting: async () => ({ journal: 0, inbox: 0 }),
        learned: undefined,
        known: async () => undefined,
        lost: lost.signal,
        close: async () => void happened.push(`${name} closed`),
      };
    },
    async synced(_cluster, warn) {
      const failure = unsynced.shift();
      if (failure !== undefined) throw failure;
      happened.push("asked the nodes");
      warn("n3 is away");
    },
    async worker(_directory, _cluster, { tasks }) {
      const failure = refusals.shift();
      if (failure !== undefined) throw failure;
      happened.push(`takes ${tasks.join()}`);
      return { close: async () => void happened.push("takes nothing") };
    },
    async sleep(ms) {
      happened.push(`slept ${ms}`);
      await new Promise(setImmediate);
    },
  };
  const write = (text: string) => void happened.push(text.trim());
  const app = {
    fetch: async (request: Request) => new Response(`${request.method} ${new URL(request.url).pathname}`),
    follow: () => void happened.push("follow"),
    unfollow: () => void happened.push("unfollow"),
    networks: new Networks(),
  };
  const foreign: Error[] = [];
  const asked: RunId[] = [];
  const mirror = {
    url: "https://cdn.example",
    async requireOurs(run: RunId) {
      asked.push(run);
      const [failure] = foreign;
      if (failure !== undefined) throw failure;
    },
  };
  const watched: string[] = [];
  const watch: SeatParts["watch"] = {
    async run(node, _sleep, signal) {
      const isOpen = await until(() => node() !== undefined).then(
        () => true,
        () => false, // of a test without one
      );
      if (!isOpen) return;
      watched.push("an edge");
      signal.addEventListener("abort", () => watched.push(node() === undefined ? "nothing" : "its end"));
    },
    over: async () => void watched.push("over"),
  };
  const seat = new ClusterSeat(CLUSTER, directory, {
    ...{ app, opens, tasks, origin: "http://here", watch, mirror },
    log: { info() {}, warn() {}, error() {} },
    io: { stdout: { write }, stderr: { write }, signal: stop.signal, program: ["node"] },
  });
  return {
    ...{ seat, happened, stop, directory, edges, told, watched, asked },
    mirrorAnother: (failure: Error) => void foreign.push(failure),
    lead: lease.resolve,
    giveUp: lease.reject,
    fail: (...errors: Error[]) => {
      failures = errors;
    },
    doNotSync: (...errors: Error[]) => {
      unsynced = errors;
    },
    failWork: (...errors: Error[]) => {
      refusals = errors;
    },
    ask: (request: PassedRequest) => handler?.(request, "edge", new AbortController().signal),
  };
}

test("a server stands by as an edge, and lets go of the edge's index before it opens the store that it leads", async () => {
  const { seat, happened, lead, directory } = world();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("An edge of the run: http://here/"));
  lead();
  await opening;
  expect(happened).toEqual([
    ...["asked the nodes", "murmuration serve: n3 is away"],
    "one:1 serves this run. Standing by as an edge, to take over when it ends.",
    "edge 0 open",
    "follow",
    "An edge of the run: http://here/",
    "edge 0 closed", // and not unfollowed: reads go on until the run is served
    "store open",
  ]);
});

test("what tells the operator looks at the edge until this server leads, and hears whether it does", async () => {
  const { seat, happened, lead, directory, watched } = world();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("follow") && watched.length === 1);
  lead();
  await opening;
  expect(watched).toEqual(["an edge", "its end", "over"]);
  const { seat: edge, stop, watched: seen } = world();
  const staying = edge.stayEdge();
  await until(() => seen.length === 1);
  stop.abort();
  await staying;
  expect(seen).toEqual(["an edge", "its end"]);
});

test("a server that stands by, or is an edge, ends where its mirror is another run's, before anybody is sent there", async () => {
  const failure = new MirrorError("/cdn is the mirror of another run");
  const standing = world();
  standing.mirrorAnother(failure);
  await expect(standing.seat.openStore(standing.directory)).rejects.toBe(failure);
  const edge = world();
  edge.mirrorAnother(failure);
  await expect(edge.seat.stayEdge()).rejects.toBe(failure);
  lockDirectory(edge.directory)(); // and it lets go of its directory
  for (const { happened } of [standing, edge]) {
    expect(happened).not.toContain("follow");
    expect(happened.at(-1)).toBe("edge 0 closed");
  }
});

test("whose its mirror is a server asks once, however often it opens the run", async () => {
  const { seat, happened, edges, lead, directory, asked } = world();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("follow"));
  edges[0]?.lose();
  await until(() => happened.filter((line) => line === "follow").length === 2);
  lead();
  await opening;
  expect(asked).toEqual(["the run"]);
});

test("an edge that lost the journal answers nobody until it has opened it again", async () => {
  const { seat, happened, edges, lead, directory } = world();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("An edge of the run: http://here/"));
  happened.length = 0;
  edges[0]?.lose();
  await until(() => happened.length === 5);
  expect(happened).toEqual([
    "unfollow",
    "edge 0 closed",
    "edge 1 open",
    "follow",
    "An edge of the run: http://here/",
  ]);
  lead();
  await opening;
});

test("an edge that cannot open tries each second, and says why once for each reason", async () => {
  const { seat, happened, fail, lead, directory } = world();
  const [early, away] = [new StoreError("the run has not begun"), new StoreError("nobody answers")];
  fail(early, early, away, early);
  const opening = seat.openStore(directory);
  await until(() => happened.includes("follow"));
  expect(happened.slice(3, -2)).toEqual([
    "murmuration serve: no edge yet: the run has not begun",
    "slept 1000",
    "slept 1000",
    "murmuration serve: no edge yet: nobody answers",
    "slept 1000",
    "murmuration serve: no edge yet: the run has not begun",
    "slept 1000",
    "edge 0 open",
  ]);
  lead();
  await opening;
});

test("a server that comes to lead while it cannot be an edge stops trying", async () => {
  const { seat, happened, fail, lead, directory } = world();
  const away = new StoreError("nobody answers");
  fail(...Array.from({ length: 10_000 }, () => away));
  const opening = seat.openStore(directory);
  await until(() => happened.length > 3);
  lead();
  await opening;
  const { length } = happened;
  await new Promise(setImmediate);
  expect(happened).toHaveLength(length);
  expect(happened).not.toContain("follow");
});

test("with --edge a server stays one until it is stopped, and has its directory for itself meanwhile", async () => {
  const { seat, happened, stop, directory } = world();
  const staying = seat.stayEdge();
  await until(() => happened.includes("follow"));
  expect(() => lockDirectory(directory)).toThrow(LockedError);
  stop.abort();
  await staying;
  expect(happened.slice(-1)).toEqual(["edge 0 closed"]);
  lockDirectory(directory)();
});

test("what leads answers what edges pass on, with the run's version, and bounds it, and tells them the time", async () => {
  const { seat, ask, told, lead, directory } = world();
  lead();
  await seat.openStore(directory);
  let version = 3;
  const deposed = new AbortController();
  const run = {
    manifest: () => ({ version }) as never,
    maxUploadBytes: 10,
    now: 77,
    deposed: deposed.signal,
  };
  seat.lead(run);
  await until(() => told.length > 2);
  expect(told[0]).toBe(77);
  deposed.abort();
  await new Promise(setImmediate);
  const { length } = told;
  const request = { method: "POST", target: "/x", headers: [], address: "192.0.2.1", encrypted: false };
  const answer = await ask({ ...request, body: new Uint8Array(3) });
  expect(answer).toMatchObject({ status: 200, version: 3 });
  expect(new TextDecoder().decode(answer?.body)).toBe("POST /x");
  version = 4;
  expect(await ask({ ...request, body: new Uint8Array() })).toMatchObject({ version: 4 });
  const long = ask({ ...request, body: new Uint8Array(MAX_OPERATOR_BYTES + 1) });
  await expect(long).rejects.toMatchObject({ code: "too-large" });
  expect(told.length, "one that leads no more says nothing").toBe(length);
});

test("a server that is stopped while it stands by follows the run no longer", async () => {
  const { seat, happened, giveUp, directory } = world();
  const opening = seat.openStore(directory);
  await until(() => happened.includes("follow"));
  giveUp(new Error("stopped"));
  await expect(opening).rejects.toThrow("stopped");
  expect(happened.at(-1)).toBe("edge 0 closed");
});

test("while another leads, a server works for it where it is to; before it leads it takes nothing more", async () => {
  const idle = world();
  const opening = idle.seat.openStore(idle.directory);
  await until(() => idle.happened.includes("follow"));
  expect(idle.happened.some((line) => line.startsWith("takes"))).toBe(false);
  idle.lead();
  await opening;
  const { seat, happened, directory, lead, failWork } = world("audits");
  failWork(new StoreError("the run has not begun"));
  const store = seat.openStore(directory);
  await until(() => happened.includes("takes audits"));
  expect(happened).toContain("murmuration serve: no work is taken yet: the run has not begun");
  lead();
  await store;
  expect(happened.indexOf("takes nothing")).toBeLessThan(happened.indexOf("store open"));
  expect(seat.jobs(), "where it has others work now").toBeDefined();
});

test("a cluster that may lose what it acknowledges is asked once, and refused before anything is written to it", async () => {
  const { seat, happened, directory, doNotSync, lead } = world();
  doNotSync(new StoreError("n3 does not sync its writes"));
  await expect(seat.openStore(directory)).rejects.toThrow("n3 does not sync its writes");
  expect(happened).toEqual([]);
  lead();
  await seat.openStore(directory);
  expect(happened.slice(0, 2)).toEqual(["asked the nodes", "murmuration serve: n3 is away"]);
  expect(happened.filter((line) => line === "asked the nodes")).toHaveLength(1);
});

test("an edge of such a cluster answers nobody until it is mended", async () => {
  const { seat, happened, doNotSync, stop } = world();
  const refused = new StoreError("n3 does not sync its writes");
  doNotSync(refused, refused);
  const staying = seat.stayEdge();
  await until(() => happened.includes("follow"));
  expect(happened.slice(0, 6)).toEqual([
    "murmuration serve: no edge yet: n3 does not sync its writes",
    "slept 1000",
    "slept 1000",
    "asked the nodes",
    "murmuration serve: n3 is away",
    "edge 0 open",
  ]);
  stop.abort();
  await staying;
});
