import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test, vi } from "vitest";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { NatsCluster } from "../../test/harness/nats-cluster.ts";
import { natsServer } from "../../test/harness/nats-server.ts";
import { natsStore } from "./nats-store.ts";

vi.setConfig({ testTimeout: 60_000 });
const program = natsServer();

test.skipIf(program === undefined)(
  "a file that does not fit is refused as a full cluster, and goes in once there is room",
  async () => {
    const cluster = await NatsCluster.start(program ?? "", 1);
    const connection = await cluster.connect();
    try {
      const key = { read: async () => undefined, write: async () => {} };
      const wait = (ms: number) => sleep(ms);
      const about = { connection, name: "FULL", key, index: memoryIndex(), reading: false, replicas: 1 };
      const store = await natsStore({ ...about, writer: "w", sleep: wait });
      const { streams } = await jetstreamManager(connection);
      await streams.update("OBJ_FULL_OBJ", { max_bytes: 1_000 });
      const put = () => store.put("run", "text", new Uint8Array(5_000));
      await expect(put()).rejects.toMatchObject({
        code: "no-space",
        message: "the cluster's stream is full",
      });
      await streams.update("OBJ_FULL_OBJ", { max_bytes: -1 });
      await put();
      expect((await store.get("run", "text"))?.length).toBe(5_000);
      await store.close();
    } finally {
      await connection.close();
      await cluster.stop();
    }
  },
);
