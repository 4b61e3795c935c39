import type { Overview } from "../../protocol/operator.ts";
import type { RunStatus } from "../../protocol/status.ts";
import { Exposition } from "./exposition.ts";

/** What a server knows of itself that follows a run on a cluster. */
export interface EdgeFigures {
  readonly role: "edge" | "standby";
  readonly version: number;
  /** Deltas that it acknowledged, and that it refused, by code, since it follows the run. */
  readonly receipts: number;
  readonly refused: RunStatus["deltas"]["refused"];
  readonly leaderSilentMs: number;
  readonly behindMs: number;
  /** Messages that it does not know yet, and that nobody has journaled; undefined where the cluster does not say. */
  readonly waiting: { readonly journal: number; readonly inbox: number } | undefined;
  readonly connections: number;
  readonly listeners: number;
  readonly traffic: Pick<Overview["traffic"], "up" | "down">;
  readonly sent: Readonly<Record<string, number>>;
  readonly machine: Overview["machine"];
}

/** An edge for a Prometheus. What a server that leads says too has the same name here. */
export function edgeMetricsOf(figures: EdgeFigures): string {
  const { role, refused, waiting, traffic, sent, machine } = figures;
  const exposition = new Exposition("murmuration_");
  const metric = exposition.metric.bind(exposition);
  const tally = exposition.tally.bind(exposition);
  roleMetric(exposition, role);
  metric("version", "The newest version", figures.version);
  metric("receipts_total", "Deltas acknowledged since this server follows the run", figures.receipts);
  tally("deltas_refused_total", "Deltas refused since the server started", "code", refused);
  metric("leader_silent_seconds", "Since a server that leads was heard", figures.leaderSilentMs / 1_000);
  metric("journal_lag_seconds", "Since this server knew all of the journal", figures.behindMs / 1_000);
  if (waiting !== undefined) {
    metric("journal_lag_messages", "Of the journal, that this server does not know yet", waiting.journal);
    metric("inbox_pending_messages", "Deltas that are acknowledged and not journaled", waiting.inbox);
  }
  metric("connections", "Open sockets", figures.connections);
  metric("event_listeners", "Of them, those that listen to events", figures.listeners);
  metric("bytes_received_total", "Bytes from all sockets since the server started", traffic.up);
  metric("bytes_sent_total", "Bytes to all sockets since the server started", traffic.down);
  tally("object_bytes_sent_total", "Bytes of bodies, since this server follows the run", "kind", sent);
  machineMetrics(exposition, machine);
  return exposition.text;
}

/** Of a run on a cluster: what this server is to it. */
export const roleMetric = (exposition: Exposition, role: "leader" | EdgeFigures["role"]): void =>
  exposition.tally("role", "What this server is to the run", "role", { [role]: 1 });

export function machineMetrics(
  exposition: Exposition,
  { delayMs, memoryBytes, disk }: Overview["machine"],
): void {
  const metric = exposition.metric.bind(exposition);
  metric("event_loop_delay_p50_seconds", "Median over the last minute", delayMs.p50 / 1_000);
  metric("event_loop_delay_p99_seconds", "99th percentile over the last minute", delayMs.p99 / 1_000);
  metric("resident_memory_bytes", "Memory of the server's process", memoryBytes);
  metric("disk_free_bytes", "Free on the data directory's disk", disk.freeBytes);
}
