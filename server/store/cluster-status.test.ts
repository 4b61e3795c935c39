import { expect, test } from "vitest";
import { type ClusterStatus, faultsIn, isAnyBehind, linesOf } from "./cluster-status.ts";

/** Milliseconds. */
const SILENCE = 4_000;

const faultsOf = (...given: Parameters<typeof faultsIn>): string[] =>
  faultsIn(...given).map(({ line }) => line);
const replica = (node: string, lag = 0, silentMs = 300) => ({
  ...{ node, current: lag === 0, offline: false, lag, silentMs },
});
const good: ClusterStatus = {
  name: "MU_1",
  leader: { who: "ann:7", silentMs: 1_200 },
  streams: [
    {
      ...{ stream: "MU_1_LOG", messages: 12, bytes: 3_400_000, lacks: 0, leader: "n1" },
      replicas: [replica("n2"), replica("n3")],
    },
  ],
};
const [log] = good.streams as [ClusterStatus["streams"][number]];

test("a run on a cluster is reported with a line for each stream", () => {
  expect(linesOf(good)).toEqual([
    "MU_1: led by ann:7, heard 1.2 s ago",
    "  MU_1_LOG: 12 messages, 3.4 MB, on n1, n2, n3",
  ]);
  const alone = { ...log, leader: undefined, replicas: [replica("n2", 5)] };
  expect(linesOf({ ...good, leader: undefined, streams: [alone] })).toEqual([
    "MU_1: led by nobody",
    "  MU_1_LOG: 12 messages, 3.4 MB, on no leader, n2 (5 behind)",
  ]);
});

test("what is wrong with a cluster is named: silence, no leader, a node that is away or behind, no run", () => {
  expect(faultsOf(good, SILENCE)).toEqual([]);
  const bad: ClusterStatus = {
    ...good,
    leader: { who: "ann:7", silentMs: SILENCE + 1_000 },
    streams: [{ ...log, leader: "", replicas: [{ ...replica("n2"), offline: true }, replica("n3", 51)] }],
  };
  expect(faultsOf(bad, SILENCE)).toEqual([
    "ann:7, which leads the run, has been silent for 5.0 s",
    "MU_1_LOG has no leader",
    "n3 is 51 messages behind in MU_1_LOG",
    "n2 is away, not heard for 0.3 s, and holds MU_1_LOG",
  ]);
  expect(faultsOf({ ...good, streams: [{ ...log, lacks: 2 }] }, SILENCE)).toEqual([
    "n1 has lost 2 messages of MU_1_LOG: replace its disk",
  ]);
  expect(faultsOf({ ...good, leader: undefined }, SILENCE)).toEqual(["no server leads the run"]);
  expect(faultsOf({ ...good, streams: [] }, SILENCE)).toEqual(["there is no run MU_1 on this cluster"]);
});

test("a node that is a few messages behind is at fault where it stays so: under load the newest are on their way", () => {
  const behind: ClusterStatus = {
    ...good,
    streams: [{ ...log, replicas: [replica("n2", 1), replica("n3")] }],
  };
  expect([isAnyBehind(good), isAnyBehind(behind)]).toEqual([false, true]);
  expect(faultsOf(behind, SILENCE)).toEqual([]);
  expect(faultsOf(behind, SILENCE, [behind, good, behind])).toEqual([]);
  expect(faultsOf(behind, SILENCE, [behind, behind])).toEqual(["n2 is 1 messages behind in MU_1_LOG"]);
});

test("a node that was killed is away, in one line, before NATS calls it offline; one that is slow is behind", () => {
  const inbox = { ...log, stream: "MU_1_IN" };
  const of = (silentMs: number): ClusterStatus => ({
    ...good,
    streams: [
      { ...log, replicas: [replica("n2", 224, silentMs), replica("n3")] },
      { ...inbox, replicas: [replica("n2", 9, silentMs + 500), replica("n3")] },
    ],
  });
  expect(faultsOf(of(5_000), SILENCE)).toEqual([
    "n2 is away, not heard for 5.5 s, and holds MU_1_LOG, MU_1_IN",
  ]);
  expect(linesOf(of(5_000))[1]).toMatch(/on n1, n2 \(away\), n3$/);
  const idle = {
    ...good,
    streams: [{ ...log, replicas: [replica("n2", 0, 5_000), replica("n3", 0, 1_000)] }],
  };
  expect(faultsOf(idle, SILENCE)).toEqual(["n2 is away, not heard for 5.0 s, and holds MU_1_LOG"]);
  expect(faultsOf(of(900), SILENCE)).toEqual(["n2 is 224 messages behind in MU_1_LOG"]);
});

test("a leader that is silent while the cluster is full cannot post its sign, and the line says which is full", () => {
  const silent: ClusterStatus = { ...good, leader: { who: "ann:7", silentMs: 5_000 } };
  const why =
    "ann:7, which leads the run, has been silent for 5.0 s: it cannot post its sign while the cluster is full";
  expect(faultsOf({ ...silent, account: { used: 9, most: 9 } }, SILENCE)).toEqual([
    "the run's account is full",
    why,
  ]);
  const full = { ...silent, streams: [{ ...log, most: log.bytes }] };
  expect(faultsOf(full, SILENCE)).toEqual(["MU_1_LOG is full", why]);
  const nodes = { faults: ["n3 does not sync its writes"], full: ["n1 is full"], nearlyFull: [] };
  expect(faultsIn(silent, SILENCE, [], nodes).map(({ kind }) => kind)).toEqual([
    "full",
    "leader",
    "unsynced",
  ]);
  expect(faultsOf(silent, SILENCE, [], nodes)[1]).toBe(why);
  // One that is nearly full takes signs, so its leader is silent for another reason.
  const nearly = { faults: [], full: [], nearlyFull: ["n1 is nearly full: it may store 0.1 GB more"] };
  expect(faultsOf(silent, SILENCE, [], nearly)).toHaveLength(2);
  expect(faultsOf(silent, SILENCE, [], nearly)[1]).toMatch(/silent for 5.0 s$/);
  const room = { ...good, account: { used: 8, most: 9 }, streams: [{ ...log, most: log.bytes + 1 }] };
  expect(faultsOf(room, SILENCE)).toEqual([]);
});
