import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test, vi } from "vitest";
import { utf8 } from "../protocol/bytes.ts";
import type { PassedRequest } from "../server/lib/passing.ts";
import { openFollowedRun, openRun } from "../server/run/run.ts";
import { copyStore } from "../server/store/copy-store.ts";
import { fileStore } from "../server/store/file-store.ts";
import { lastSign } from "../server/store/nats-board.ts";
import { natsStore } from "../server/store/nats-store.ts";
import { clusterStatus, openClusterStore } from "../server/store/open-cluster.ts";
import { readOnlyStore } from "../server/store/read-only.ts";
import { StoreCopy } from "../server/store/store-copy.ts";
import { clusterSync, requireSynced } from "../server/store/synced-cluster.ts";
import { verify } from "../server/verify/verify.ts";
import { MemoryFiles } from "./harness/memory-files.ts";
import { memoryIndex } from "./harness/memory-index.ts";
import { describeOnNats } from "./harness/nats-nodes.ts";
import { isOlder, SYNCS, versionOf } from "./harness/nats-server.ts";
import {
  advance,
  deltaOf,
  TestVolunteer,
  type TinyRun,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
  vectorTask,
} from "./harness/tiny-run.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });
const corpus = await tinyCorpus();
const settings = tinySettings({ snapshotEvery: 2, keepSnapshots: 2 });

describeOnNats("a run on JetStream, one node", (nats) => {
  let writers = 0;

  /** The cluster's store of the run whose key lies in these files. */
  const storeFor = (files: MemoryFiles, name: string, reading = false) =>
    natsStore({
      ...{
        connection: nats.connection,
        name,
        reading,
        replicas: 1,
        writer: `w${writers++}`,
        index: memoryIndex(),
      },
      key: { read: () => files.read("server.key"), write: async () => {} },
      sleep: (ms) => sleep(ms),
    });

  /** Serves a tiny run from there. */
  const served = async (tiny: TinyRun, name: string): Promise<TinyRun> => {
    const { settings: _, ...options } = tiny.options;
    const run = await openRun({ ...options, store: await storeFor(tiny.files, name) });
    return { ...tiny, run };
  };

  const consumersOf = async (stream: string) =>
    (await (await jetstreamManager(nats.connection)).streams.info(stream)).state.consumer_count;

  test("moves there and back with its id, receipts and hashes, and what takes it over deposes what served it", async () => {
    const volunteer = await TestVolunteer.create();
    const home = await tinyRun({ settings, corpus, segmentBytes: 512 });
    await advance(volunteer, home, 5);
    const ticket = await volunteer.ticket(home.run);
    const upload = uploadOf(ticket, deltaOf(3));
    const receipt = await volunteer.send(home.run, upload);
    const { hash } = home.run.latestSnapshot();
    await home.run.close();

    const away = await storeFor(home.files, "TAKEN");
    await copyStore(await readOnlyStore(home.files), away);
    await away.close();

    const first = await served(home, "TAKEN");
    expect(first.run.latestSnapshot().hash).toBe(hash);
    expect(first.run.manifest().run).toBe(home.run.manifest().run);
    expect(await volunteer.send(first.run, upload)).toEqual(receipt);
    await advance(await TestVolunteer.create(), first, 3); // saves snapshots and strips frames on the way
    const late = uploadOf(await volunteer.ticket(first.run), deltaOf(4));
    const files = new MemoryFiles();
    const back = await fileStore(files, memoryIndex(), { salt: () => 5, segmentBytes: 512 });
    const reader = await storeFor(home.files, "TAKEN", true);
    const copy = await StoreCopy.open(reader, back);
    await copy.pass();
    const early = await verify(await readOnlyStore(files), corpus, vectorTask);
    expect(early.model).toBe(first.run.latestSnapshot().hash);

    const second = await served(home, "TAKEN");
    expect(second.run.latestSnapshot().hash).toBe(first.run.latestSnapshot().hash);
    // Its index was empty: what it knows of credit it has from the journal, old records out of the bucket.
    const { key } = volunteer.identity;
    expect(second.run.credit(key)).toEqual(first.run.credit(key));
    expect(second.run.credit(key).merged).toBeGreaterThan(0);
    // Who does not know yet that it leads no more keeps a delta for whoever does; its next write to the journal ends it.
    const again = await volunteer.send(first.run, late);
    await until(() => first.run.deposed.aborted);
    await until(() => second.run.credit(key).pending === 1);
    expect(await volunteer.send(second.run, late)).toEqual(again);
    await expect(volunteer.send(first.run, late)).rejects.toMatchObject({ code: "not-durable" });
    expect(await volunteer.send(second.run, upload)).toEqual(receipt);
    await advance(await TestVolunteer.create(), second, 3);
    await until(() => second.run.admin.snapshots.length === 2);
    await first.run.close();
    const newest = second.run.latestSnapshot().hash;
    const { settings: _, ...options } = second.options;
    const following = await storeFor(home.files, "TAKEN", true);
    const edge = await openFollowedRun({
      ...options,
      store: following,
      runClock: { now: () => second.run.now },
    });
    const orphan = uploadOf(await volunteer.ticket(second.run), deltaOf(5));
    await second.run.close();

    // Nobody leads. An edge acknowledges all the same, and who copies the run hears that it is not all there.
    const acknowledged = await volunteer.send(edge, orphan);
    await copy.pass();
    expect(await reader.inbox?.waiting()).toBe(1);
    const third = await served(home, "TAKEN");
    await until(() => third.run.credit(key).pending === 1);
    expect(await volunteer.send(third.run, orphan)).toEqual(acknowledged);
    await third.run.close();
    await edge.close();
    await copy.pass();
    expect(await reader.inbox?.waiting()).toBe(0);
    expect((await consumersOf("TAKEN_LOG")) <= 1, "what is read leaves nothing behind").toBe(true);
    await back.put("run", "server.key", (await home.files.read("server.key")) ?? new Uint8Array(), "secret");
    await Promise.all([reader.close(), back.close()]);
    const verified = await verify(await readOnlyStore(files), corpus, vectorTask);
    expect(verified.model).toBe(newest);
    const returned = await tinyRun({ files, corpus, segmentBytes: 512 });
    expect(returned.run.latestSnapshot().hash).toBe(newest);
    expect(await volunteer.send(returned.run, upload)).toEqual(receipt);
    expect(await volunteer.send(returned.run, late)).toEqual(again);
    expect(await volunteer.send(returned.run, orphan)).toEqual(acknowledged);
    await advance(volunteer, returned, 1);
    await returned.run.close();
  });

  test("of two servers one leads; the other stands by, takes over when it stops, and deposes one that never did", async () => {
    const address = { address: `nats://${nats.cluster.addresses.join(",")}`, unsafe: true };
    const opening = (standBy?: { waiting: (who: string) => void; signal: AbortSignal }) =>
      openClusterStore(address, {
        ...{ name: "LED", index: memoryIndex, ...(standBy && { standBy }) },
        key: { read: async () => undefined, write: async () => {} },
      });
    const first = await opening();
    await first.append(utf8("0"));
    const { promise: waits, resolve: waiting } = Promise.withResolvers<string>();
    const second = opening({ waiting, signal: new AbortController().signal });
    expect(await waits).toMatch(/:\d+$/);
    expect(first.deposed.aborted).toBe(false);
    const { leader, streams } = await clusterStatus(address.address, "LED", Date.now);
    expect(leader?.who).toBe(await waits);
    expect(streams.map(({ stream, messages }) => [stream, messages > 0])).toEqual([
      ["LED_LOG", true],
      ["OBJ_LED_OBJ", false],
      ["LED_LEAD", true],
      ["LED_IN", false],
    ]);
    await expect(opening(), "who does not stand by").rejects.toThrow(/serves this run/);
    const stopping = new AbortController();
    const third = opening({ waiting: () => stopping.abort(new Error("stopped")), signal: stopping.signal });
    await expect(third).rejects.toThrow("stopped");

    const edge = await openClusterStore(address, {
      ...{ name: "LED", index: memoryIndex, reading: true },
      key: { read: async () => undefined, write: async () => {} },
    });
    const request = (body: string): PassedRequest => ({
      ...{ method: "POST", target: "/x?y", headers: [["a", "b"]], address: "192.0.2.1", encrypted: true },
      body: utf8(body),
    });
    const answerOf = (who: string) => async (asked: PassedRequest) => ({
      ...{ status: 200, headers: [["who", who]] as const, version: 7 },
      body: utf8(JSON.stringify({ ...asked, body: new TextDecoder().decode(asked.body) })),
    });
    const { promise: stuck } = Promise.withResolvers<never>();
    const tooLong = new Uint8Array((nats.connection.info?.max_payload ?? 0) + 1);
    const heard: string[] = [];
    first.line.answer(async (asked, _sender, left) => {
      if (asked.target === "/stuck") return stuck;
      if (asked.target === "/long-text") {
        heard.push("begins");
        await new Promise((resolve) => left.addEventListener("abort", resolve));
        heard.push("ends");
      }
      const answer = await answerOf("first")(asked);
      return asked.target === "/long" ? { ...answer, body: tooLong } : answer;
    });
    const { body, ...answer } = await edge.line.ask(request("once"));
    expect(answer).toEqual({ status: 200, headers: [["who", "first"]], version: 7 });
    expect(JSON.parse(new TextDecoder().decode(body))).toEqual({ ...request("once"), body: "once" });
    const visitor = new AbortController();
    const text = edge.line.ask({ ...request("text"), target: "/long-text" }, true, visitor.signal);
    await vi.waitFor(() => expect(heard).toEqual(["begins"]));
    const sign = await lastSign(await jetstreamManager(nats.connection), "LED");
    for (const id of ["", "x", "y".repeat(1_000)]) nats.connection.publish(`LED.left.${sign?.writer}`, id);
    await edge.line.ask(request("next"));
    expect(heard, "who guesses ends nobody else's").toEqual(["begins"]);
    visitor.abort();
    expect((await text).status).toBe(200);
    expect(heard).toEqual(["begins", "ends"]);
    await expect(edge.line.ask(request("gone"), true, visitor.signal)).rejects.toThrow("left");
    const unanswered = edge.line.ask({ ...request("held"), target: "/stuck" });
    unanswered.catch(() => {});
    await edge.line.ask(request("next"));
    // What cannot be answered, or not through the cluster, is refused at once: the sender would wait two minutes.
    const tooMany = { ...request("once"), headers: Array.from({ length: 201 }, () => ["a", "b"] as const) };
    expect((await edge.line.ask(tooMany)).status).toBe(400);
    expect((await edge.line.ask({ ...request("once"), target: "/long" })).status).toBe(500);

    await first.close();
    const store = await second;
    store.line.answer(answerOf("second"));
    await expect(unanswered, "whom nobody will answer").rejects.toMatchObject({ code: "not-durable" });
    expect((await edge.line.ask(request("again"))).headers).toEqual([["who", "second"]]);
    expect(store.length).toBe(1);
    expect((await clusterStatus(address.address, "LED", Date.now)).leader?.who).toBe(leader?.who);
    // A server that heard nothing of a lease, as one that a debugger holds.
    const zombie = await natsStore({
      ...{ connection: nats.connection, name: "LED", replicas: 1, writer: "zombie", index: memoryIndex() },
      key: { read: async () => undefined, write: async () => {} },
      sleep: (ms) => sleep(ms),
    });
    await expect(store.append(utf8("1"))).rejects.toMatchObject({ code: "not-durable" });
    expect(store.deposed.aborted).toBe(true);
    await Promise.all([store.close(), zombie.close(), edge.close()]);
    // While an edge comes to lead its line is closed. Refused as too large, an upload would be lost.
    await expect(edge.line.ask(request("late"), false)).rejects.toMatchObject({ code: "not-durable" });
    expect((await clusterStatus(address.address, "NONE", Date.now)).streams).toEqual([]);
  });

  test("whether a node syncs its writes its monitoring port says, and one that says nothing is refused", async () => {
    const address = `nats://${nats.cluster.addresses.join(",")}`;
    const { monitors } = nats.cluster;
    const syncs = !isOlder(versionOf(nats.program), SYNCS);
    const findings = await clusterSync({ address, monitors, unsafe: true });
    expect(findings.synced).toEqual(syncs ? ["n0"] : []);
    expect(findings.faults).toHaveLength(syncs ? 0 : 1);
    const warned: string[] = [];
    const shut = { address, monitors: ["127.0.0.1:9"], unsafe: true };
    await requireSynced(shut, (line) => warned.push(line));
    expect(warned).toEqual([
      expect.stringMatching(/^--unsafe: whether n0 syncs its writes is not known: open .*8222/),
    ]);
  });

  test("a cluster that cannot be trusted or reached is refused in one line", async () => {
    const files = new MemoryFiles();
    const run = {
      name: "X",
      index: memoryIndex,
      key: { read: () => files.read("server.key"), write: async () => {} },
    };
    const address = `nats://${nats.cluster.addresses.join(",")}`;
    await expect(openClusterStore({ address, unsafe: false }, run)).rejects.toThrow(
      /not one to trust: .*--unsafe/,
    );
    const store = await openClusterStore({ address, unsafe: true }, run);
    expect(store.length).toBe(0);
    await store.close();
    const closed = "nats://127.0.0.1:9";
    await expect(openClusterStore({ address: closed, unsafe: true }, run)).rejects.toThrow(
      /cannot be reached/,
    );
  });
});
