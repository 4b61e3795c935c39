import { expect, test } from "vitest";
import type { ClusterStatus } from "../store/cluster-status.ts";
import { StoreError } from "../store/store.ts";
import type { NodeFindings } from "../store/synced-nodes.ts";
import { type LookParts, lookAtCluster } from "./cluster-look.ts";

const CLUSTER = { address: "nats://a,b,c", key: "server.key", unsafe: false };
const FINE: NodeFindings = {
  synced: ["n1", "n2", "n3"],
  faults: [],
  full: [],
  nearlyFull: [],
  away: [],
  unsettled: false,
};

/** A cluster one of whose nodes is so many messages behind, look after look. */
function world(behind: readonly number[], found: NodeFindings | Error = FINE) {
  let [looks, asked, slept] = [0, 0, 0];
  const replica = (lag: number) => ({ node: "n2", current: lag === 0, offline: false, lag, silentMs: 300 });
  const stream = { stream: "MU_LOG", messages: 1, bytes: 1, lacks: 0, leader: "n1" };
  const parts: LookParts = {
    async status(): Promise<ClusterStatus> {
      const lag = behind[Math.min(looks++, behind.length - 1)];
      if (lag === undefined) throw new StoreError("nats://a,b,c cannot be used");
      return {
        name: "MU",
        leader: { who: "ann:1", silentMs: 0 },
        streams: [{ ...stream, replicas: [replica(lag)] }],
      };
    },
    async nodes() {
      asked += 1;
      if (found instanceof Error) throw found;
      return found;
    },
    now: () => 0,
    sleep: async () => void slept++,
  };
  const look = (changes: Partial<typeof CLUSTER> = {}) =>
    lookAtCluster({ ...CLUSTER, ...changes }, undefined, parts);
  return { look, counts: () => ({ looks, asked, slept }) };
}

test("a node that catches up within seconds is well, and one that does not is at fault", async () => {
  const brief = world([3, 1, 0]);
  expect((await brief.look()).faults).toEqual([]);
  expect(brief.counts()).toEqual({ looks: 3, asked: 1, slept: 2 });
  const lasting = world([1]);
  expect((await lasting.look()).faults).toEqual([
    { kind: "node", line: "n2 is 1 messages behind in MU_LOG" },
  ]);
  expect(lasting.counts().slept).toBe(5);
});

test("what the nodes say is part of it, unless the cluster need not be safe", async () => {
  const unsynced = { ...FINE, faults: ["n3 does not sync its writes"] };
  expect((await world([0], unsynced).look()).faults).toEqual([
    { kind: "unsynced", line: "n3 does not sync its writes" },
  ]);
  const trial = world([0], unsynced);
  expect(await trial.look({ unsafe: true })).toMatchObject({ nodes: undefined, faults: [] });
  expect(trial.counts().asked).toBe(0);
});

test("of a cluster that answers nobody the nodes say that they are full; where they are not, it is as it was", async () => {
  const full = await world([], { ...FINE, full: ["n1 is full", "n2 is full"] }).look();
  expect(full.status).toBeUndefined();
  expect(full.faults).toEqual([
    { kind: "full", line: "n1 is full" },
    { kind: "full", line: "n2 is full" },
    { kind: "node", line: "nats://a,b,c cannot be used" },
  ]);
  await expect(world([]).look()).rejects.toThrow("cannot be used");
  await expect(world([], new StoreError("cannot be reached")).look()).rejects.toThrow("cannot be used");
});
