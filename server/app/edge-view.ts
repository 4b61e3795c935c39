import type { AppOptions } from "../http/app.ts";
import { edgeMetricsOf } from "../operator/edge-metrics.ts";
import { HostStats } from "../operator/host-stats.ts";
import type { EdgeNode } from "./edge-node.ts";
import type { ProcessMeters } from "./operator.ts";
import type { ServeOptions } from "./serve-options.ts";

/** What is read of a node that follows a run. */
export type ShownNode = Pick<EdgeNode, "service" | "health" | "waiting">;

/** Counts what an edge does, for its `/metrics`, which whoever may read the leader's may read. */
export function edgeView(
  node: ShownNode,
  { data, edge }: Pick<ServeOptions, "data" | "edge">,
  { delay, traffic }: ProcessMeters,
): Required<Pick<AppOptions, "sent" | "listening" | "metrics">> {
  const { service, health } = node;
  const sent = { snapshots: 0, diffs: 0, shards: 0 };
  const host = new HostStats(data, delay);
  let listeners = 0;
  return {
    sent: (kind, bytes) => {
      sent[kind] += bytes;
    },
    listening: (count) => {
      listeners = count;
    },
    metrics: {
      token: process.env.METRICS_TOKEN,
      text: async () =>
        edgeMetricsOf({
          role: edge ? "edge" : "standby",
          version: service.manifest().version,
          receipts: health.receipts,
          refused: service.status().deltas.refused,
          ...{ leaderSilentMs: health.leaderSilentMs, behindMs: health.behindMs },
          waiting: await node.waiting().catch(() => undefined),
          ...{ connections: traffic.connections, listeners, sent },
          traffic: traffic.read(),
          machine: await host.read(),
        }),
    },
  };
}
