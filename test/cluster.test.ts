import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { utf8 } from "../protocol/bytes.ts";
import type { PassedRequest } from "../server/lib/passing.ts";
import { openFollowedRun, openRun } from "../server/run/run.ts";
import { copyStore } from "../server/store/copy-store.ts";
import { fileStore } from "../server/store/file-store.ts";
import { Lease, SILENCE_MS } from "../server/store/lease.ts";
import { natsBoard } from "../server/store/nats-board.ts";
import { natsClaims } from "../server/store/nats-claims.ts";
import { natsLine } from "../server/store/nats-line.ts";
import { natsStore } from "../server/store/nats-store.ts";
import { clusterStatus, openClusterStore } from "../server/store/open-cluster.ts";
import { readOnlyStore } from "../server/store/read-only.ts";
import { StoreCopy } from "../server/store/store-copy.ts";
import { clusterSync, requireSynced } from "../server/store/synced-cluster.ts";
import { verify } from "../server/verify/verify.ts";
import { LossyConnection } from "./harness/lossy-connection.ts";
import { MemoryFiles } from "./harness/memory-files.ts";
import { memoryIndex } from "./harness/memory-index.ts";
import { NatsCluster } from "./harness/nats-cluster.ts";
import { isOlder, natsServer, SYNCS, versionOf } from "./harness/nats-server.ts";
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
const program = natsServer();
const corpus = await tinyCorpus();
const settings = tinySettings({ snapshotEvery: 2, keepSnapshots: 2 });

describe.skipIf(program === undefined)("a run on JetStream, one node", () => {
  let cluster: NatsCluster;
  let connection: NatsConnection;
  let writers = 0;
  beforeAll(async () => {
    cluster = await NatsCluster.start(program ?? "", 1);
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.stop();
  });

  /** The cluster's store of the run whose key lies in these files. */
  const storeFor = (files: MemoryFiles, name: string, reading = false) =>
    natsStore({
      ...{ connection, name, reading, replicas: 1, writer: `w${writers++}`, index: memoryIndex() },
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
    (await (await jetstreamManager(connection)).streams.info(stream)).state.consumer_count;

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
    const address = { address: `nats://${cluster.addresses.join(",")}`, unsafe: true };
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
    const tooLong = new Uint8Array((connection.info?.max_payload ?? 0) + 1);
    first.line.answer(async (asked) => {
      if (asked.target === "/stuck") return stuck;
      const answer = await answerOf("first")(asked);
      return asked.target === "/long" ? { ...answer, body: tooLong } : answer;
    });
    const { body, ...answer } = await edge.line.ask(request("once"));
    expect(answer).toEqual({ status: 200, headers: [["who", "first"]], version: 7 });
    expect(JSON.parse(new TextDecoder().decode(body))).toEqual({ ...request("once"), body: "once" });
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
      ...{ connection, name: "LED", replicas: 1, writer: "zombie", index: memoryIndex() },
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

  test("a sign that the cluster has lost keeps nobody from leading; who leads posts the next, and is not followed", async () => {
    const manager = await jetstreamManager(connection);
    const board = await natsBoard({ connection, name: "SIGN", replicas: 1, writer: "next" });
    const who = (writer: string) => ({ writer, who: `${writer}:1`, over: false });
    let seq = (await board.post(who("dead"), 0)) ?? 0;
    const lose = () => manager.streams.deleteMessage("SIGN_LEAD", seq);
    await lose();
    const quick = {
      ...{ board, writer: "next", who: "next:1" },
      sleep: async (length: number, signal: AbortSignal) => {
        await sleep(length / 100);
        signal.throwIfAborted();
      },
    };
    let ms = 0;
    const now = () => (ms += SILENCE_MS / 10);
    const lease = await Lease.acquire({ ...quick, now });
    expect(await board.last()).toMatchObject({ writer: "next" });
    // Until it is lost: it stands for some milliseconds only.
    await vi.waitFor(async () => {
      seq = (await board.last())?.seq ?? 0;
      await lose();
    });
    await vi.waitFor(async () => expect(await board.last()).toMatchObject({ writer: "next" }));
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
    const line = await natsLine({ connection, name: "SIGN", writer: "x", sleep: (ms) => sleep(ms) });
    seq = (await board.last())?.seq ?? 0;
    await lose(); // while nobody leads: those who pass on wait, and ask nobody
    expect(await line.leader()).toBeUndefined();
  });

  test("an edge whose request or its answer may have been lost with a node asks its visitor at once to send it again", async () => {
    const [edges, leads, others] = [
      await cluster.connect(),
      await cluster.connect(),
      await cluster.connect(),
    ];
    const wait = (ms: number) => sleep(ms);
    const board = await natsBoard({ connection, name: "LINE", replicas: 1, writer: "w" });
    await board.post({ writer: "w", who: "w:1", over: false }, 0);
    const line = (connection: NatsConnection, writer: string) =>
      natsLine({ connection, name: "LINE", writer, sleep: wait });
    const [edge, leader] = [await line(edges, "e"), await line(leads, "w")];
    await line(others, "o");
    let heard = 0;
    leader.answer(async () => {
      heard += 1;
      return new Promise(() => {});
    });
    const request = {
      method: "GET",
      target: "/",
      headers: [],
      address: "",
      encrypted: false,
      body: utf8(""),
    };
    const moved = async (one: NatsConnection) => {
      const again = (async () => {
        for await (const { type } of one.status()) if (type === "reconnect") return;
      })();
      await one.reconnect();
      await again;
      for (const each of [one, edges]) await each.flush();
    };
    const ask = async () => {
      const [asked, before] = [edge.ask(request), heard];
      const answer = { refused: undefined as unknown, over: Promise.resolve() };
      answer.over = asked.then(
        () => {},
        (error: unknown) => {
          answer.refused = error;
        },
      );
      await vi.waitFor(() => expect(heard).toBe(before + 1));
      return answer;
    };
    const first = await ask();
    await moved(others); // the control: it had neither the request nor the answer
    expect(first.refused).toBeUndefined();
    await moved(edges);
    await first.over;
    expect(first.refused).toMatchObject({ code: "not-durable" });
    const second = await ask();
    await moved(leads);
    await second.over;
    expect(second.refused).toMatchObject({ code: "not-durable" });

    // While the cluster elects who has the signs, whoever led before is asked. The control knows of nobody.
    const lossy = new LossyConnection(edges);
    const [knowing, fresh] = [await line(lossy.connection, "k"), await line(lossy.connection, "f")];
    expect(await knowing.leader()).toBe("w:1");
    lossy.fate = (subject) => (subject.includes("LINE_LEAD") ? "refused" : undefined);
    await expect(fresh.ask(request, false)).rejects.toMatchObject({ code: "not-durable" });
    const before = heard;
    const third = knowing.ask(request, false);
    third.catch(() => {});
    await vi.waitFor(() => expect(heard).toBe(before + 1));
    // Whether a server is connected the cluster says at once; one that does not answer may be held.
    expect([await board.isGone("w"), await board.isGone("nobody")]).toEqual([false, true]);
    connection.subscribe("LINE.here.held", { callback() {} });
    expect(await board.isGone("held")).toBe(false);
    await Promise.all([edges.close(), leads.close(), others.close()]);
  });

  test("of the servers of a run one has a claim, until it drops it or its connection is gone", async () => {
    const [ann, bob] = [natsClaims(connection, "C"), await cluster.connect()];
    const others = natsClaims(bob, "C");
    expect([await others.take("it"), await others.take("it")]).toEqual([true, true]);
    await bob.flush();
    expect(await ann.take("it")).toBe(false);
    expect(await ann.take("else")).toBe(true);
    await connection.flush();
    others.drop("it");
    await bob.flush();
    expect(await ann.take("it")).toBe(true);
    await connection.flush();
    expect([await others.take("it"), await others.take("else")]).toEqual([false, false]);
    ann.drop("it");
    await connection.flush();
    expect(await others.take("it")).toBe(true);
    await bob.flush();
    expect(await ann.take("it")).toBe(false);
    await bob.close();
    await vi.waitFor(async () => expect(await ann.take("it")).toBe(true));
  });

  test("whether a node syncs its writes its monitoring port says, and one that says nothing is refused", async () => {
    const address = `nats://${cluster.addresses.join(",")}`;
    const { monitors } = cluster;
    const syncs = !isOlder(versionOf(program ?? ""), SYNCS);
    const findings = await clusterSync({ address, monitors, unsafe: true });
    expect(findings.synced).toEqual(syncs ? ["n0"] : []);
    expect(findings.faults).toHaveLength(syncs ? 0 : 1);
    const warned: string[] = [];
    const shut = { address, monitors: ["127.0.0.1:9"], unsafe: true };
    await requireSynced(shut, (line) => warned.push(line));
    expect(warned).toEqual([
      expect.stringMatching(/^--unsafe: whether the node .* is not known: open .*8222/),
    ]);
  });

  test("a cluster that cannot be trusted or reached is refused in one line", async () => {
    const files = new MemoryFiles();
    const run = {
      name: "X",
      index: memoryIndex,
      key: { read: () => files.read("server.key"), write: async () => {} },
    };
    const address = `nats://${cluster.addresses.join(",")}`;
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
