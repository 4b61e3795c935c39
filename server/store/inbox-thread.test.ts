import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { concat, utf8 } from "../../protocol/bytes.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { LossyConnection } from "../../test/harness/lossy-connection.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { NatsCluster } from "../../test/harness/nats-cluster.ts";
import { natsServer } from "../../test/harness/nats-server.ts";
import { inboxStream } from "./inbox.ts";
import { InboxThread } from "./inbox-thread.ts";
import { natsStore } from "./nats-store.ts";
import { joinRecord, splitRecord } from "./record-parts.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const program = natsServer();
/** A request for a message's bytes. */
const BYTES = /^\$JS\.API\.(?:DIRECT|STREAM\.MSG)\.GET\.T\d_IN/;

const ticket = (n: number) => String(n).padStart(22, "t") as TicketId;
const frame = (n: number) => Uint8Array.from({ length: 300_000 }, (_, i) => i * n);
/** As servers keep a delta: what they say of it, and the upload. */
const message = (n: number) => concat(...joinRecord(utf8("{}"), concat(...joinRecord(utf8("[]"), frame(n)))));

describe.skipIf(program === undefined)("an inbox that a thread reads", () => {
  let cluster: NatsCluster;
  let connection: NatsConnection;
  let runs = 0;
  beforeAll(async () => {
    cluster = await NatsCluster.start(program ?? "", 1);
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.stop();
  });

  /** A store whose thread connects to `address`. */
  const open = async (
    address = `nats://${cluster.addresses.join(",")}`,
    name = `T${runs++}`,
    reading = false,
  ) => {
    const thread = new InboxThread({ address, stream: inboxStream(name) });
    const { asked, connection: seen } = new LossyConnection(connection);
    const about = { connection: seen, name, replicas: 1, writer: `w${runs}`, index: memoryIndex(), reading };
    const key = { read: async () => undefined, write: async () => {} };
    const store = await natsStore({ ...about, key, fetcher: thread, sleep: (ms) => sleep(ms) });
    const close = async () => {
      await store.close();
      await thread.close();
    };
    const own = () => asked.filter((one) => BYTES.test(one)).length;
    return { name, store, inbox: store.inbox!, thread, close, own };
  };
  const begun = (thread: InboxThread) =>
    vi.waitFor(() => thread.ask({ after: 0, most: 0, lost: [] }) ?? Promise.reject(new Error("it starts")), {
      timeout: 30_000,
    });

  test("it brings the same messages and frames, and the thread that decides asks for the bytes of none", async () => {
    const { name, inbox, thread, close, own } = await open();
    for (const n of [1, 2, 3]) await inbox.put(ticket(n), message(n));
    const here = await inbox.after(0, 9);
    expect(own(), "while it starts, nobody waits for it").toBe(3);
    await begun(thread);
    const there = await inbox.after(0, 9);
    expect(there).toEqual(here.map((one, i) => ({ ...one, check: crc32(frame(i + 1)) })));
    expect((await inbox.after(1, 1)).map(({ seq }) => seq)).toEqual([2]);
    for (const { seq, bytes, check } of there) {
      const at = { seq, frame: bytes.subarray(bytes.length - frame(1).length), taken: seq };
      await inbox.append(utf8(`delta ${seq}`), { ...at, check });
    }
    expect(own()).toBe(3);

    const other = await open(undefined, name, true);
    await begun(other.thread);
    expect(splitRecord(await other.store.read(1)).frame).toEqual(frame(2));
    expect(other.own()).toBe(0);
    const wrong = { seq: 3, frame: frame(2), taken: 3 };
    await inbox.append(utf8("of another delta"), wrong);
    await other.store.refresh();
    await expect(other.store.read(3), "whoever brings it").rejects.toThrow("is not what was journaled");
    await Promise.all([close(), other.close()]);
  });

  test("what it lacks, and all where it cannot be had, is read here", async () => {
    const { name, inbox, thread, close, own } = await open();
    await begun(thread);
    for (const n of [1, 2, 3]) await inbox.put(ticket(n), utf8(`no server's ${n}`));
    await (await jetstreamManager(connection)).streams.deleteMessage(inboxStream(name), 2);
    expect(await inbox.after(1, 9)).toEqual([{ seq: 3, bytes: utf8("no server's 3"), check: 0 }]);
    expect(own(), "the one that it did not find").toBeGreaterThan(0);
    await thread.close();
    expect(await inbox.after(1, 9)).toEqual([{ seq: 3, bytes: utf8("no server's 3") }]);
    await close();

    const unreachable = await open("nats://127.0.0.1:1");
    await unreachable.inbox.put(ticket(1), message(1));
    for (let looks = 0; looks < 3; looks++) expect(await unreachable.inbox.after(0, 9)).toHaveLength(1);
    await unreachable.close();
  });
});
