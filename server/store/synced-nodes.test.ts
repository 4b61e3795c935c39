import { describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { monitorsBeside, monitorsIn } from "./cluster-monitors.ts";
import { askNode, type MonitoredNode, parseMonitored } from "./monitored-node.ts";
import { findingsOf } from "./synced-nodes.ts";

/** What nats-server 2.15.1 says, without what nobody reads. */
const varz = (config: object, meta: object = {}) =>
  utf8(
    JSON.stringify({
      ...{ server_id: "NBAR", server_name: "n1", version: "2.15.1", max_payload: 8_388_608 },
      jetstream: {
        config: { sync_interval: 120_000_000_000, max_storage: 50e9, ...config },
        stats: { storage: 3_600_186 },
        meta,
      },
    }),
  );

const node = (name: string, changes: Partial<MonitoredNode> = {}): MonitoredNode => ({
  ...{ id: `id of ${name}`, name, synced: true, leader: "n1", storage: { used: 1e9, most: 50e9 } },
  others: ["n1", "n2", "n3"]
    .filter((other) => other !== name)
    .map((other) => ({ name: other, current: true, silentMs: 300 })),
  ...changes,
});
const ALL = [node("n1"), node("n2"), node("n3")] as const;
const [n1, n2, n3] = ALL;
const shut = (place: string) => ({ place: `${place}:8222`, why: "connect ECONNREFUSED" });

/** Its view of n3. */
const sees = (by: MonitoredNode, n3: Partial<MonitoredNode["others"][number]>): MonitoredNode => ({
  ...by,
  others: by.others.map((other) => (other.name === "n3" ? { ...other, ...n3 } : other)),
});

describe("a node's monitoring port", () => {
  it("says whether it syncs: by sync_always, since sync_interval is two minutes either way", () => {
    const replicas = [{ name: "n2", current: false, active: 3_500_000_000, peer: "44jz" }];
    expect(parseMonitored(varz({ sync_always: true }, { leader: "n1", replicas }))).toEqual({
      ...{ id: "NBAR", name: "n1", synced: true, leader: "n1", storage: { used: 3_600_186, most: 50e9 } },
      others: [{ name: "n2", current: false, silentMs: 3_500 }],
    });
    expect(parseMonitored(varz({}))).toMatchObject({ synced: false, leader: undefined, others: [] });
    expect(parseMonitored(varz({ sync_always: false })).synced).toBe(false);
    const without = { server_id: "N", server_name: "n\u001b1", jetstream: {} };
    expect(parseMonitored(utf8(JSON.stringify(without)))).toMatchObject({ name: "n?1", synced: false });
  });

  it.each<[string, Uint8Array]>([
    ["no JSON", utf8("<html>")],
    ["another program's", utf8("{}")],
    ["a setting that is no setting", varz({ sync_always: "true" })],
    ["nodes without number", varz({}, { replicas: new Array(65).fill({ name: "n", current: true }) })],
    ["a name without end", varz({}, { leader: "n".repeat(257) })],
  ])("is not believed where it says %s", (_, bytes) => expect(() => parseMonitored(bytes)).toThrow());

  it("is heard to a bound, and whoever answers there cannot end the server", async () => {
    const answer = (body: BodyInit, status = 200) =>
      askNode("a:8222", async () => new Response(body, { status }));
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(to) {
        to.enqueue(new Uint8Array(65_536));
        sent += 65_536;
      },
    });
    expect(await answer(endless)).toEqual({ place: "a:8222", why: "it answers with too much" });
    expect(sent).toBeLessThan(1_000_000);
    expect(await answer("", 404)).toEqual({ place: "a:8222", why: "it answers 404" });
    expect(await answer("[]")).toMatchObject({ why: "the body must be an object" });
    expect(await answer(Buffer.from(varz({ sync_always: true })))).toMatchObject({
      name: "n1",
      synced: true,
    });
    const refused = Promise.reject(new Error("fetch failed", { cause: new Error("connect ECONNREFUSED") }));
    expect(await askNode("a:8222", () => refused)).toEqual({ place: "a:8222", why: "connect ECONNREFUSED" });
  });

  it("is beside each server, unless the operator names it", () => {
    expect(monitorsBeside(["a", "b:4223", "[::1]:4222", "[::1]", "b:4224"])).toEqual([
      ...["a:8222", "b:8222", "[::1]:8222"],
    ]);
    expect(monitorsIn("a,10.0.0.2:82,[::1]:83")).toEqual(["a:8222", "10.0.0.2:82", "[::1]:83"]);
    for (const text of ["", "a,", "http://a", "a/b", "a:x", "a@b", new Array(65).fill("a").join()])
      expect(() => monitorsIn(text), text).toThrow(/such as/);
  });
});

describe("whether a cluster syncs", () => {
  it("is well where each node said so", () =>
    expect(findingsOf(n2, ALL)).toEqual({
      ...{ synced: ["n1", "n2", "n3"], faults: [], full: [], nearlyFull: [], away: [], unsettled: false },
    }));

  it("says which has no room, or soon none", () => {
    const used = (gigabytes: number) => ({ storage: { used: gigabytes * 1e9, most: 50e9 } });
    const found = findingsOf(n1, [n1, { ...n2, ...used(46) }, { ...n3, ...used(51) }]);
    expect(found.full).toEqual(["n3 is full"]);
    expect(found.nearlyFull).toEqual(["n2 is nearly full: it may store 4.0 GB more"]);
    expect(found.faults).toEqual([]);
  });

  it("is not where one does not, also one that nobody asked, or that only has another's place", () => {
    const lazy = { ...n3, synced: false };
    expect(findingsOf(n1, [n1, n2, lazy]).faults).toEqual([
      "n3 does not sync its writes, and loses some in a power cut: set sync_interval: always",
    ]);
    const unknown =
      /^whether n3 syncs its writes is not known: open its monitoring port, 8222, or .*--monitor/;
    for (const answers of [
      [n1, n2],
      [n1, n2, n2],
      [n1, n2, shut("c")],
      [n1, n2, node("m3")],
    ]) {
      const findings = findingsOf(n1, answers);
      expect(findings).toMatchObject({ faults: [expect.stringMatching(unknown)], unsettled: false });
    }
    expect(findingsOf(n1, [n1, n2, shut("c")]).faults[0]).toMatch(/ \(c:8222: connect ECONNREFUSED\)$/);
  });

  it("is not known where another cluster was asked, whatever that one says", () => {
    const another = (name: string) => findingsOf({ id: `id of another ${name}`, name }, ALL);
    expect(another("m1")).toMatchObject({
      synced: [],
      faults: [expect.stringMatching(/^whether m1 syncs .* \(who answers is not of this cluster\)$/)],
    });
    // Two clusters of the same names: the node of this one was not asked.
    expect(another("n1").faults).toEqual([
      expect.stringMatching(/^whether n1 syncs its writes is not known/),
    ]);
    const others = n2.others.map((other) => ({ ...other, current: other.name !== "n1" }));
    const deadOne = [{ ...n2, leader: "n2", others }, n3];
    expect(findingsOf({ id: "this one's", name: "n1" }, deadOne)).toMatchObject({
      ...{ away: [], faults: [expect.stringMatching(/^whether n1/)] },
    });
    expect(findingsOf(n1, [shut("a"), shut("b")]).faults).toEqual([
      expect.stringMatching(/^whether n1 .* \(a:8222: connect ECONNREFUSED; b:8222: /),
    ]);
  });

  it("names the node of this connection where only that one's port is shut", () => {
    expect(findingsOf(n3, [n1, n2, shut("c")])).toMatchObject({
      ...{ synced: ["n1", "n2"], away: [], unsettled: false },
      faults: [expect.stringMatching(/^whether n3 syncs .* \(c:8222: connect ECONNREFUSED\)$/)],
    });
  });

  it("does not wait for a node that is away: a run that lost one must start", () => {
    for (const n3 of [{ silentMs: 4_500 }, { current: false, silentMs: 0 }]) {
      const found = findingsOf(n2, [sees(n1, n3), n2, shut("c")]);
      expect(found).toEqual({
        synced: ["n1", "n2"],
        faults: [],
        full: [],
        nearlyFull: [],
        away: ["n3"],
        unsettled: false,
      });
    }
    // Only the node that leads the others knows; and of most of them nobody may know nothing.
    expect(findingsOf(n2, [n1, sees(n2, { silentMs: 4_500 }), shut("c")]).faults).toHaveLength(1);
    const alone = { ...n1, others: n1.others.map((other) => ({ ...other, current: false })) };
    expect(findingsOf(n1, [alone, shut("b")]).faults).toEqual([expect.stringMatching(/^whether n2, n3/)]);
  });

  it("is looked at again while the cluster elects, and while a node may just have died", () => {
    const electing = [
      { ...n2, leader: undefined },
      { ...n3, leader: undefined },
    ];
    expect(findingsOf(n2, [...electing, shut("a")])).toMatchObject({ unsettled: true });
    expect(findingsOf(n2, [n2, n3, shut("a")])).toMatchObject({ unsettled: true });
    expect(findingsOf(n2, [sees(n1, { silentMs: 2_000 }), n2, shut("c")])).toMatchObject({
      unsettled: true,
    });
  });
});
