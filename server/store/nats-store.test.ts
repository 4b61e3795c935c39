import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { concat, partsOf, utf8 } from "../../protocol/bytes.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { indexContract } from "../../test/harness/index-contract.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { NatsCluster } from "../../test/harness/nats-cluster.ts";
import { natsServer } from "../../test/harness/nats-server.ts";
import { recordsOf, storeContract } from "../../test/harness/store-contract.ts";
import { readBlocks } from "./nats-blocks.ts";
import { DamagedReplica } from "./nats-errors.ts";
import { type KeyFile, type NatsStoreOptions, natsStore } from "./nats-store.ts";
import { splitRecord } from "./record-parts.ts";
import { sqliteIndex } from "./sqlite-index.ts";
import type { Index, Store } from "./store.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });
const program = natsServer();

/** A key's file, in memory. */
function keyFile(): KeyFile {
  let kept: Uint8Array<ArrayBuffer> | undefined;
  return {
    read: async () => kept,
    write: async (bytes) => {
      kept = concat(...partsOf(bytes));
    },
  };
}

describe.skipIf(program === undefined).each([1, 3])("on JetStream, %i node(s)", (replicas) => {
  let cluster: NatsCluster;
  let connection: NatsConnection;
  let runs = 0;
  let writers = 0;
  const names = new WeakMap<Store, string>();

  beforeAll(async () => {
    cluster = await NatsCluster.start(program ?? "", replicas);
    connection = await cluster.connect();
    // A cluster takes streams once its nodes have met and elected a leader.
    await vi.waitFor(async () => (await jetstreamManager(connection)).getAccountInfo(), {
      timeout: 60_000,
      interval: 200,
    });
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.stop();
  });

  const openAs = async (
    name: string,
    index: Index = memoryIndex(),
    more: Partial<Pick<NatsStoreOptions, "reading" | "now" | "warn" | "connection">> = {},
  ) => {
    const parts = {
      connection,
      name,
      replicas,
      writer: `w${writers++}`,
      index,
      key: keyFile(),
    };
    const store = await natsStore({ ...parts, sleep: (ms) => sleep(ms), ...more });
    names.set(store, name);
    return store;
  };
  const open = () => openAs(`R${replicas}_${runs++}`);
  const takeOver = (store: Store) => openAs(names.get(store) ?? "");
  const reopen = async (store: Store) => {
    await store.close();
    return takeOver(store);
  };
  storeContract(open, { reopen, takeOver });

  describe("its index, which the server that leads has beside its corpus", () => {
    const stores = new WeakMap<Index, { readonly store: Store; readonly path: string }>();
    const directories: string[] = [];
    afterAll(() => {
      for (const directory of directories) rmSync(directory, { recursive: true });
    });
    const indexAt = async (name: string, path: string) => {
      const store = await openAs(name, sqliteIndex(path));
      stores.set(store.index, { store, path });
      return store.index;
    };
    indexContract(
      () => {
        const directory = mkdtempSync(join(tmpdir(), "murmuration-nats-index-"));
        directories.push(directory);
        return indexAt(`I${replicas}_${runs++}`, join(directory, "index.sqlite"));
      },
      async (index) => {
        const { store, path } = stores.get(index)!;
        await store.close();
        return indexAt(names.get(store) ?? "", path);
      },
    );
  });

  test("a writer is deposed by the mere opening of another, before that one has appended anything", async () => {
    const first = await open();
    await first.append(utf8("0"));
    const second = await takeOver(first);
    await expect(first.append(utf8("zombie"))).rejects.toMatchObject({ code: "not-durable" });
    await expect(first.remove("snapshots", "x")).rejects.toMatchObject({ code: "not-durable" });
    expect(await recordsOf(second)).toEqual(["0"]);
    await Promise.all([first.close(), second.close()]);
  });

  test("the control: an append that names no tail is stored, and the run's next opening finds the two at odds", async () => {
    const store = await open();
    await store.append(utf8("0"));
    const name = names.get(store) ?? "";
    const { jetstream } = await import("@nats-io/jetstream");
    await jetstream(connection).publish(`${name}.log`, utf8("zombie"));
    await store.close();
    await expect(openAs(name)).rejects.toThrow(/gap/);
  });

  test("the places of a long journal are read by its messages' headers alone, through a consumer", async () => {
    const store = await open();
    const blocks = 600; // more than are asked for one by one
    for (let i = 0; i < blocks; i++) await store.append(utf8(`${i}`));
    const again = await takeOver(store);
    expect(again.length).toBe(blocks);
    expect(Buffer.from(await again.read(blocks - 1)).toString()).toContain("599");
    await Promise.all([store.close(), again.close()]);

    // Whoever leads archives and lets go of blocks at any time: also between the look at the stream and the first message.
    const stream = `${names.get(store)}_LOG`;
    const manager = await jetstreamManager(connection);
    const readWhile = (meanwhile: () => Promise<unknown>) => {
      let looks = 0;
      const info = async () => {
        const found = await manager.streams.info(stream);
        if (looks++ === 0) await meanwhile();
        return found;
      };
      const streams = { ...manager.streams, info } as JetStreamManager["streams"];
      return readBlocks({ connection, stream, manager: { streams }, bringer: manager });
    };
    const read = await readWhile(() => manager.streams.purge(stream, { seq: 40 }));
    expect(read.blocks[0]?.seq).toBe(40);
    expect(read.blocks).toHaveLength(blocks + 2 - 39);
    // The control: one that is lost is no retention.
    await expect(readWhile(() => manager.streams.deleteMessage(stream, 50))).rejects.toThrow(DamagedReplica);
  });

  test("a message that the cluster has lost is noticed: nobody reads or goes on over the gap", async () => {
    const store = await open();
    for (let i = 0; i < 5; i++) await store.append(utf8(`${i}`));
    const name = names.get(store) ?? "";
    await (await jetstreamManager(connection)).streams.deleteMessage(`${name}_LOG`, 3);
    await expect(store.read(1)).rejects.toThrow(/missing/);
    await store.close();
    await expect(openAs(name)).rejects.toThrow(/gap/);
  });

  test("a cluster that does not answer is to be asked again, and no damage: a merge is tried until it succeeds", async () => {
    const away = await cluster.connect();
    const parts = { connection: away, name: `AWAY${replicas}`, replicas, writer: `w${writers++}` };
    const store = await natsStore({
      ...parts,
      index: memoryIndex(),
      key: keyFile(),
      sleep: (ms) => sleep(ms),
    });
    await store.append(utf8("0"));
    await away.close();
    const refusals = [
      ...[store.read(0), store.get("diffs", "1"), store.list("diffs")],
      ...[store.put("diffs", "1", utf8("1")), store.remove("diffs", "1"), store.strip(1)],
    ];
    for (const refused of refusals) await expect(refused).rejects.toMatchObject({ code: "not-durable" });
  });

  test("an inbox keeps one message a ticket, whoever sends it; the journal has its frame until nobody needs it", async () => {
    let ms = 0;
    const more = { now: () => ms };
    const leading = await openAs(`R${replicas}_${runs++}`, memoryIndex(), more);
    const name = names.get(leading) ?? "";
    const away = await cluster.connect();
    const edge = await openAs(name, memoryIndex(), { ...more, reading: true, connection: away });
    const [inbox, theirs] = [leading.inbox!, edge.inbox!];
    const message = (text: string) => utf8(`about:${text.repeat(2_000)}`);
    const [first, second] = ["t".repeat(22), "u".repeat(22)] as TicketId[];
    const sent = ["1", "2", "3", "4", "5", "6"].map((text, i) =>
      (i % 2 === 0 ? inbox : theirs).put(first!, message(text)),
    );
    const kept = new Set((await Promise.all(sent)).map((bytes) => Buffer.from(bytes).toString()));
    expect(kept.size).toBe(1);
    const [one] = await inbox.after(0, 9);
    expect(Buffer.from(one!.bytes).toString()).toBe([...kept][0]);
    await theirs.put(second!, message("7"));
    await inbox.arrival(AbortSignal.abort());
    const [, two] = await inbox.after(0, 9);
    expect((await inbox.after(0, 1)).length).toBe(1);
    expect([await inbox.waiting(), inbox.taken]).toEqual([2, 0]);

    await leading.append(utf8("begins"));
    for (const { seq, bytes } of [one!, two!])
      await inbox.append(utf8(`delta ${seq}`), { seq, frame: bytes.subarray(6), taken: seq - 1 });
    expect([await inbox.waiting(), inbox.taken]).toEqual([0, 2]);
    await edge.refresh();
    const whole = async (store: Store, frames?: boolean) => {
      const found: [string, number][] = [];
      for await (const { record } of store.records(1, frames)) {
        const { head, frame } = splitRecord(record);
        found.push([Buffer.from(head).toString(), frame.length]);
      }
      return found;
    };
    const [bare, all] = [0, 2_000].map((length) => [1, 2].map((seq) => [`delta ${seq}`, length]));
    expect(await whole(edge)).toEqual(all);
    expect(await whole(edge, false), "who only follows fetches none").toEqual(bare);
    expect(await whole(leading)).toEqual(all);
    for (const store of [leading, edge])
      expect(Buffer.from((await store.frame?.(1)) ?? []), "alone").toEqual(
        Buffer.from(one!.bytes.subarray(6)),
      );

    const next = await openAs(name, memoryIndex(), more);
    expect(next.inbox?.taken).toBe(2);
    expect(await whole(next)).toEqual(all);
    await expect(inbox.append(utf8("late"), { seq: 2, frame: two!.bytes, taken: 2 })).rejects.toMatchObject({
      code: "not-durable",
    });
    // Its frame is not needed by the snapshots that are kept: a while later it is let go of.
    for (const text of ["a", "b", "c"]) await next.append(utf8(text));
    await next.strip(4);
    expect((await next.inbox?.after(0, 9))?.map(({ seq }) => seq)).toEqual([1, 2]);
    ms += 60_000;
    await next.strip(5);
    expect((await next.inbox?.after(0, 9))?.map(({ seq }) => seq)).toEqual([]);
    expect(await whole(next)).toMatchObject([
      ["delta 1", 0],
      ["delta 2", 0],
      ...["a", "b", "c"].map((t) => [t, 0]),
    ]);

    // A server that has not heard of the journal for longer than that may not know that a ticket is used.
    await expect(theirs.put(first!, message("8"))).rejects.toMatchObject({ code: "not-durable" });
    await edge.refresh();
    const control = await theirs.put(first!, message("8"));
    expect(Buffer.from(control).toString(), "it would be kept").toContain("8");
    await Promise.all([leading.close(), next.close(), edge.close()]);
    await away.close();
  });

  test("a message that no node has any more is said, and those after it come", async () => {
    const lines: string[] = [];
    const store = await openAs(`R${replicas}_${runs++}`, memoryIndex(), { warn: (line) => lines.push(line) });
    const inbox = store.inbox!;
    for (const ticket of ["a", "b", "c"]) await inbox.put(ticket.repeat(22) as TicketId, utf8(ticket));
    await (await jetstreamManager(connection)).streams.deleteMessage(`${names.get(store)}_IN`, 2);
    for (let looks = 0; looks < 2; looks++)
      expect((await inbox.after(0, 9)).map(({ seq }) => seq)).toEqual([1, 3]);
    expect(
      (await inbox.after(1, 1)).map(({ seq }) => seq),
      "a lost one takes no place",
    ).toEqual([3]);
    expect(lines.filter((line) => line.includes("a delta is lost"))).toHaveLength(1);
    await store.close();
  });

  test("the run's key never gets into the cluster", async () => {
    const store = await open();
    await store.put("run", "server.key", utf8("secret"), "secret");
    await store.put("run", "run.json", utf8("{}"));
    expect(await store.get("run", "server.key")).toEqual(utf8("secret"));
    expect(await store.list("run")).toEqual(["run.json"]);
    const second = await takeOver(store);
    expect(await second.get("run", "server.key")).toBeUndefined();
    await Promise.all([store.close(), second.close()]);
  });

  test("objects of several chunks come back whole, and a chunk that is gone is noticed", async () => {
    const store = await open();
    const name = names.get(store) ?? "";
    const bytes = Uint8Array.from({ length: 1_300_000 }, (_, i) => i * 7);
    await store.put("snapshots", "big", bytes);
    expect(Buffer.from((await store.get("snapshots", "big")) ?? []).equals(bytes)).toBe(true);
    await (await jetstreamManager(connection)).streams.deleteMessage(`OBJ_${name}_OBJ`, 2);
    await expect(store.get("snapshots", "big")).rejects.toThrow(/lost its part|damaged/);
    await store.close();
  });
});
