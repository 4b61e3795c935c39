import { AWAY_MS, type NodeFindings } from "./synced-nodes.ts";

/** A stream of the run, as the cluster sees it. */
export interface StreamStatus {
  readonly stream: string;
  readonly messages: number;
  readonly bytes: number;
  /** Bytes that it may have; undefined without such a limit. */
  readonly most?: number | undefined;
  /** Messages between its first and its last that the node which leads it lacks, where none may be removed. */
  readonly lacks: number;
  /** The node that leads it; undefined while none does. */
  readonly leader: string | undefined;
  /**
   * The other nodes that hold it. `lag`: messages that one is behind. `silentMs`: milliseconds since the node that leads the
   * stream heard from it.
   */
  readonly replicas: readonly {
    readonly node: string;
    readonly current: boolean;
    readonly offline: boolean;
    readonly lag: number;
    readonly silentMs: number;
  }[];
}

export interface ClusterStatus {
  readonly name: string;
  /** The server of ours that leads the run, and the milliseconds since its last sign, by the cluster's clock and this one's. */
  readonly leader: { readonly who: string; readonly silentMs: number } | undefined;
  readonly streams: readonly StreamStatus[];
  /** Bytes of all streams of the run's account, where it may only have so many. */
  readonly account?: { readonly used: number; readonly most: number } | undefined;
}

/** Something that is wrong with it, in a line for people. */
export interface Fault {
  readonly kind: "leader" | "node" | "lost" | "full" | "unsynced";
  readonly line: string;
}

/** What the nodes have of one stream, by what they read on their disks. */
export interface StreamCheck {
  readonly stream: string;
  /** Messages that any node has. */
  readonly messages: number;
  /** In lines for people: what one node lacks and another has, and which node could not be read. */
  readonly faults: readonly string[];
}

/** Messages that a node may be behind for a moment: under load, the newest are always on their way to it. */
const MAX_LAG = 50;

/**
 * What is wrong with it. A node that is a few messages behind is well, unless it was so in all of the `earlier` looks too.
 * `nodes`: what the nodes themselves say, where they were asked.
 */
export function faultsIn(
  { name, leader, streams, account }: ClusterStatus,
  silenceMs: number,
  earlier: readonly ClusterStatus[] = [],
  nodes: Pick<NodeFindings, "faults" | "full" | "nearlyFull"> = { faults: [], full: [], nearlyFull: [] },
): Fault[] {
  const lasting = (stream: string, node: string) =>
    earlier.length > 0 && earlier.every((look) => isBehind(look, stream, node));
  if (streams.length === 0) return [{ kind: "leader", line: `there is no run ${name} on this cluster` }];
  const faults: Fault[] = [];
  const add = (kind: Fault["kind"], line: string) => void faults.push({ kind, line });
  for (const line of nodes.full) add("full", line);
  for (const { stream, bytes, most } of streams)
    if (most !== undefined && bytes >= most) add("full", `${stream} is full`);
  if (account !== undefined && account.used >= account.most) add("full", "the run's account is full");
  const isFull = faults.length > 0;
  for (const line of nodes.nearlyFull) add("full", line);
  if (leader === undefined) add("leader", "no server leads the run");
  else if (leader.silentMs > silenceMs) {
    const why = isFull ? ": it cannot post its sign while the cluster is full" : "";
    add(
      "leader",
      `${leader.who}, which leads the run, has been silent for ${seconds(leader.silentMs)}${why}`,
    );
  }
  const away = new Map<string, { silentMs: number; streams: string[] }>();
  for (const { stream, leader: node, lacks, replicas } of streams) {
    if (lacks > 0) add("lost", `${node} has lost ${lacks} messages of ${stream}: replace its disk`);
    if (node === undefined || node === "") add("node", `${stream} has no leader`);
    for (const replica of replicas) {
      const { node, current, lag, silentMs } = replica;
      if (isAway(replica)) {
        const known = away.get(node) ?? { silentMs: 0, streams: [] };
        away.set(node, { silentMs: Math.max(known.silentMs, silentMs), streams: [...known.streams, stream] });
      } else if (!current && (lag > MAX_LAG || lasting(stream, node)))
        add("node", `${node} is ${lag} messages behind in ${stream}`);
    }
  }
  for (const [node, { silentMs, streams }] of away)
    add("node", `${node} is away, not heard for ${seconds(silentMs)}, and holds ${streams.join(", ")}`);
  for (const line of nodes.faults) add("unsynced", line);
  return faults;
}

type Replica = StreamStatus["replicas"][number];

/** NATS itself takes a node that was killed for current for 10 s where nothing is written, and does not call it offline. */
const isAway = ({ offline, silentMs }: Replica): boolean => offline || silentMs > AWAY_MS;

/** Whether a node is behind in a stream, by a message or by many. */
export const isAnyBehind = ({ streams }: ClusterStatus): boolean =>
  streams.some(({ replicas }) => replicas.some(({ current, offline }) => !current && !offline));

const isBehind = ({ streams }: ClusterStatus, stream: string, node: string): boolean =>
  streams.some(
    (one) => one.stream === stream && one.replicas.some((other) => other.node === node && !other.current),
  );

/** Lines for a person. */
export function linesOf({ name, leader, streams }: ClusterStatus): string[] {
  const who =
    leader === undefined ? "led by nobody" : `led by ${leader.who}, heard ${seconds(leader.silentMs)} ago`;
  return [
    `${name}: ${who}`,
    ...streams.map(({ stream, messages, bytes, leader: node, replicas }) => {
      const others = replicas.map(nodeOf).join(", ");
      return `  ${stream}: ${messages} messages, ${(bytes / 1e6).toFixed(1)} MB, on ${node ?? "no leader"}${others && `, ${others}`}`;
    }),
  ];
}

const nodeOf = (replica: Replica): string =>
  isAway(replica)
    ? `${replica.node} (away)`
    : replica.lag > 0
      ? `${replica.node} (${replica.lag} behind)`
      : replica.node;

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
