import { expect, test } from "vitest";
import type { Claims } from "../lib/claims.ts";
import type { Alert } from "../operator/alerts.ts";
import { Webhook } from "../operator/webhook.ts";
import { alertsOfCluster, ClusterWatch } from "./cluster-watch.ts";
import { EdgeHealth } from "./edge-health.ts";
import { EdgeWatch, type WatchedNode } from "./edge-watch.ts";

/** Edges of one run, a clock that a test moves, and what the operator's address was sent. */
function world() {
  const clock = { ms: 0 };
  const sent: string[] = [];
  const holders = new Map<string, string>();
  const claimsOf = (who: string): Claims => ({
    async take(what) {
      if (!holders.has(what)) holders.set(what, who);
      return holders.get(what) === who;
    },
    drop: (what) => void (holders.get(what) === who && holders.delete(what)),
  });
  const log = { info() {}, warn() {}, error() {} };
  const edge = (who: string) => {
    const health = new EdgeHealth(() => clock.ms);
    const post: typeof fetch = async (_, init) => {
      const { text } = JSON.parse(String(init?.body)) as { text: string };
      sent.push(text);
      return new Response();
    };
    const webhook = new Webhook(new URL("http://chat.example"), log, post);
    const node: WatchedNode = {
      health,
      claims: claimsOf(who),
      service: { manifest: () => ({ name: "a run" }) },
    };
    const watch = new EdgeWatch({ webhook, now: () => clock.ms, who });
    return { who, health, node, watch };
  };
  /** Passes time, in which edges follow the journal, and hear of a server that leads where one does. */
  const pass = async (ms: number, edges: readonly ReturnType<typeof edge>[], leads: boolean) => {
    for (const end = clock.ms + ms; clock.ms < end; clock.ms += 10_000) {
      for (const { health, node, watch } of edges) {
        health.followed(clock.ms);
        if (leads) health.heard();
        await watch.look(node);
      }
    }
  };
  return { clock, sent, holders, edge, pass };
}

test("one edge for all tells once that no server leads, and once when it is over", async () => {
  const { edge, pass, sent } = world();
  const edges = [edge("ann:1"), edge("bob:2")];
  await pass(50_000, edges, true);
  await pass(50_000, edges, false);
  expect(sent).toEqual([]);
  await pass(120_000, edges, false);
  expect(sent).toEqual(["a run: no server has led the run for 60 s, says ann:1"]);
  await pass(30_000, edges, true);
  expect(sent.slice(1)).toEqual(["a run: over: no server has led the run for 170 s, says ann:1"]);
});

test("where the edge that told it is gone another one tells it, and says when it is over", async () => {
  const { edge, pass, sent, holders } = world();
  const [ann, bob] = [edge("ann:1"), edge("bob:2")];
  await pass(80_000, [ann, bob], false);
  holders.clear(); // its claim goes with its connection
  await pass(20_000, [bob], false);
  await pass(10_000, [bob], true);
  expect(sent.map((text) => text.replace(/\d+ s/, "…"))).toEqual([
    "a run: no server has led the run for …, says ann:1",
    "a run: no server has led the run for …, says bob:2",
    "a run: over: no server has led the run for …, says bob:2",
  ]);
});

test("an edge that cannot follow says so of itself, and not that nobody leads, which it cannot know", async () => {
  const { edge, sent, clock } = world();
  const [ann, never] = [edge("ann:1"), edge("bob:2")];
  for (; clock.ms <= 70_000; clock.ms += 10_000) {
    await ann.watch.look(ann.node);
    await never.watch.look(undefined); // it could not even open the run
  }
  expect(sent).toEqual([
    "a run: ann:1 has not followed the run for 60 s",
    "a run on a cluster: bob:2 has not followed the run for 60 s",
  ]);
  ann.health.followed(clock.ms);
  ann.health.heard();
  await ann.watch.look(ann.node);
  expect(sent).toHaveLength(3);
});

test("a server that comes to lead ends what it told, also where it is just looking", async () => {
  const { edge, pass, sent } = world();
  const ann = edge("ann:1");
  await pass(70_000, [ann], false);
  expect(sent).toHaveLength(1);
  const looking = ann.watch.look(ann.node);
  await ann.watch.over();
  await looking;
  expect(sent.slice(1)).toEqual([expect.stringMatching(/^a run: over: /)]);
});

test("the server that leads makes an alert of each kind of fault, and one of a cluster that does not answer", async () => {
  const faults = [
    { kind: "node", line: "n2 is away" },
    { kind: "node", line: "n3 is behind" },
    { kind: "lost", line: "n1 has lost 2 messages" },
    { kind: "leader", line: "no server leads the run" },
    { kind: "unsynced", line: "n3 does not sync" },
    { kind: "full", line: "n1 is full" },
  ] as const;
  expect(alertsOfCluster(faults)).toEqual<Alert[]>([
    { kind: "node", message: "n2 is away; n3 is behind" },
    { kind: "lost", message: "n1 has lost 2 messages" },
    { kind: "full", message: "n1 is full" },
    { kind: "unsynced", message: "n3 does not sync" },
  ]);
  const answers = [
    async () => ({ faults: [] }),
    () => Promise.reject(new Error("cannot be used")),
    async () => ({ faults }),
  ];
  const seen: number[] = [];
  const watch = new ClusterWatch(() => answers[seen.length]?.() ?? Promise.reject(new Error("no more")));
  await watch.run(async () => {
    seen.push(watch.alerts.length);
    if (seen.length === 2) expect(watch.alerts).toEqual([{ kind: "node", message: "cannot be used" }]);
    if (seen.length === 3) watch.close();
  });
  expect(seen).toEqual([0, 1, 4]);
});

test("a look at a cluster that does not answer ends with the server", async () => {
  const watch = new ClusterWatch(
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  const running = watch.run(() => Promise.reject(new Error("it waits no more")));
  watch.close();
  await running;
});
