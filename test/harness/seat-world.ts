import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { RunId } from "../../protocol/ids.ts";
import { ClusterSeat, type SeatOpens, type SeatParts } from "../../server/cli/cluster-seat.ts";
import type { LeaderLine, PassedRequest } from "../../server/lib/passing.ts";
import { Networks } from "../../server/net/network.ts";
import type { WorkerTask } from "../../server/workers/tasks.ts";
import { FakeJobs } from "./fake-jobs.ts";
import { memoryStore } from "./memory-store.ts";
import { until } from "./tiny-run.ts";

const CLUSTER = { address: "nats://a,b,c", unsafe: false, key: "server.key" };

/** Rejects where a server is stopped while another one leads. */
const stopped = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

/** A seat, the cluster and the app that it deals with, and all that happened in order. */
export function seatWorld(...tasks: WorkerTask[]) {
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
