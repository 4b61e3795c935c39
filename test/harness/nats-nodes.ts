import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe } from "vitest";
import { NatsCluster } from "./nats-cluster.ts";
import { natsServer } from "./nats-server.ts";

export interface NatsNodes {
  readonly program: string;
  readonly cluster: NatsCluster;
  readonly connection: NatsConnection;
}

/** Tests on a NATS node of their own, with a connection to it. They are skipped where there is no nats-server. */
export function describeOnNats(name: string, tests: (nats: NatsNodes) => void): void {
  const program = natsServer();
  describe.skipIf(program === undefined)(name, () => {
    let nats: NatsNodes;
    beforeAll(async () => {
      const cluster = await NatsCluster.start(program ?? "", 1);
      nats = { program: program ?? "", cluster, connection: await cluster.connect() };
    });
    afterAll(async () => {
      await nats?.connection.close();
      await nats?.cluster.stop();
    });
    tests({
      get program() {
        return nats.program;
      },
      get cluster() {
        return nats.cluster;
      },
      get connection() {
        return nats.connection;
      },
    });
  });
}
