import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { NatsCluster } from "../../test/harness/nats-cluster.ts";
import { natsServer } from "../../test/harness/nats-server.ts";
import { checkNodes } from "./nats-check.ts";
import { natsStatus } from "./nats-status.ts";
import { natsStore } from "./nats-store.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const program = natsServer();
/** Reads of a file, each by the damaged node in one of three, until that surely answered. */
const MAX_READS = 60;
const RECORDS = 40;
const recordOf = (i: number) => Uint8Array.from({ length: 500_000 }, (_, at) => (i * 31 + at * 7) % 251);

describe.skipIf(program === undefined)(
  "a bit flips on one of three nodes, which is then made to lead",
  () => {
    let cluster: NatsCluster;
    let connection: NatsConnection;
    let writers = 0;
    beforeAll(async () => {
      cluster = await NatsCluster.start(program ?? "", 3);
      connection = await cluster.connect();
      await vi.waitFor(async () => (await jetstreamManager(connection)).getAccountInfo(), {
        ...{ timeout: 60_000, interval: 200 },
      });
    });
    afterAll(async () => {
      await connection?.close();
      await cluster?.stop();
    });

    const opened = (name: string, warn: (line: string) => void = () => {}) =>
      natsStore({
        ...{ connection, name, replicas: 3, writer: `w${writers++}`, index: memoryIndex(), warn },
        key: { read: async () => undefined, write: async () => {} },
        sleep: (ms) => sleep(ms),
      });

    test("what it lost is read from another one before anybody goes on; control: plain reads lack it", async () => {
      const store = await opened("FLIP");
      const file = Uint8Array.from({ length: 18_000_000 }, (_, i) => (i * 13) % 241);
      await store.put("snapshots", "big", file);
      for (let i = 0; i < RECORDS; i++) await store.append(recordOf(i));
      await store.close();

      const faultsIn = async () => (await checkNodes(connection, "FLIP")).flatMap(({ faults }) => faults);
      expect(await faultsIn()).toEqual([]);
      const manager = await jetstreamManager(connection);
      const { cluster: nodes } = await manager.streams.info("FLIP_LOG");
      const victim = Number(nodes?.replicas?.[0]?.name.slice(1));
      await cluster.kill(victim, "SIGTERM"); // after −9 it would replay what its short log still has
      const streams = ["FLIP_LOG", "OBJ_FLIP_OBJ"];
      for (const stream of streams) expect(await cluster.flip(victim, stream), stream).toBe(true);
      cluster.restart(victim);
      await vi.waitFor(
        async () => {
          for (const stream of streams) {
            const { cluster: now } = await manager.streams.info(stream);
            expect(now?.replicas?.map(({ current, offline }) => current && !offline)).toEqual([true, true]);
          }
        },
        { timeout: 60_000, interval: 200 },
      );
      // While it only follows nobody else finds it: it says of itself that it has all.
      const { streams: seen } = await natsStatus(connection, "FLIP", Date.now);
      expect(seen.map(({ lacks }) => lacks)).toEqual([0, 0, 0]);
      const told = await faultsIn();
      for (const stream of streams)
        expect(told.filter((line) => line.includes(stream))).toEqual([
          expect.stringMatching(new RegExp(`^n${victim} has lost \\d+ messages of ${stream} \\(\\d`)),
        ]);
      for (const stream of streams) await cluster.lead(connection, manager, victim, stream);
      const there = Array.from({ length: RECORDS }, (_, i) =>
        manager.streams.getMessage("FLIP_LOG", { seq: i + 2 }).then(
          (message) => message !== null,
          () => false,
        ),
      );
      const read = (await Promise.all(there)).filter((one) => one).length;
      expect(read, "messages that plain reads find").toBeLessThan(RECORDS);

      const lines: string[] = [];
      const again = await opened("FLIP", (line) => lines.push(line));
      expect(again.length).toBe(RECORDS);
      for (let i = 0; i < RECORDS; i++)
        expect(Buffer.compare((await again.read(i)).subarray(4), recordOf(i)), `record ${i}`).toBe(0);
      // Any node may answer for a file: it is read until the damaged one did, and is whole each time.
      const isTold = () => lines.some((line) => line.includes("big"));
      for (let times = 0; times === 0 || (times < MAX_READS && !isTold()); times++) {
        const read = (await again.get("snapshots", "big")) ?? new Uint8Array();
        expect(Buffer.compare(read, file)).toBe(0);
      }
      await again.append(recordOf(RECORDS));
      await again.close();
      for (const what of [/FLIP_LOG.*another node is read/, /big.*another node is read/])
        expect(lines.join("\n")).toMatch(what);
    });
  },
);
