import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { ClusterStatus, StreamStatus } from "./cluster-status.ts";
import { inboxStream } from "./inbox.ts";
import { boardStream, lastSign } from "./nats-board.ts";
import { logStream } from "./nats-log.ts";
import { managerOf, streamIfThere } from "./nats-manager.ts";
import { objectStream } from "./nats-objects.ts";

/**
 * How a run on a cluster does; without streams where there is no such run. `now` tells milliseconds since 1970, once the
 * cluster has answered: on a busy machine that takes seconds.
 */
export async function natsStatus(
  connection: NatsConnection,
  name: string,
  now: () => number,
): Promise<ClusterStatus> {
  const manager = await managerOf(connection);
  const names = [logStream(name), objectStream(name), boardStream(name), inboxStream(name)];
  const streams = await Promise.all(
    names.map((stream) => streamStatus(manager, stream, connection.info?.server_name)),
  );
  // Only the node that leads all others answers it: while there is none, other things are wrong.
  const account = await manager.getAccountInfo().catch(() => undefined);
  const most = account?.limits.max_storage ?? -1;
  const sign = streams[2] && (await lastSign(manager, name));
  return {
    name,
    leader: sign && !sign.over ? { who: sign.who, silentMs: now() - sign.at.getTime() } : undefined,
    streams: streams.filter((stream) => stream !== undefined),
    account: account && most > 0 ? { used: account.storage, most } : undefined,
  };
}

async function streamStatus(
  manager: JetStreamManager,
  stream: string,
  only: string | undefined,
): Promise<StreamStatus | undefined> {
  const found = await streamIfThere(manager, stream);
  if (found === undefined) return undefined;
  const { state, cluster, config } = found;
  return {
    stream,
    messages: state.messages,
    lacks: /_(?:LOG|IN)$/.test(stream) ? (state.num_deleted ?? 0) : 0,
    bytes: state.bytes,
    most: config.max_bytes > 0 ? config.max_bytes : undefined,
    leader: cluster === undefined ? only : cluster.leader, // a server by itself leads all it has
    replicas: (cluster?.replicas ?? []).map(
      ({ name: node, current, offline = false, lag = 0, active = 0 }) => ({
        ...{ node, current, offline, lag, silentMs: active / 1e6 }, // told in nanoseconds
      }),
    ),
  };
}
