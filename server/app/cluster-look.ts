import { messageOf } from "../../model/lib/message-of.ts";
import { sleepFor } from "../lib/sleep.ts";
import { type ClusterStatus, type Fault, faultsIn, isAnyBehind } from "../store/cluster-status.ts";
import { SILENCE_MS } from "../store/lease.ts";
import type { NodeFindings } from "../store/synced-nodes.ts";
import { type ClusterOptions, nodesOnCluster, statusOnCluster } from "./cluster.ts";

/** Looks at nodes that are a few messages behind, and milliseconds between two: who is behind in all of them is at fault. */
const LOOKS = 5;
const LOOK_MS = 1_000;

/** How a run on a cluster does. */
export interface ClusterLook {
  /** What the cluster says of it; undefined where it is too full to say anything. */
  readonly status: ClusterStatus | undefined;
  /** What the nodes say of themselves; undefined where they need not be safe. */
  readonly nodes: NodeFindings | undefined;
  readonly faults: readonly Fault[];
}

/** How a cluster and its nodes are asked. */
export interface LookParts {
  readonly status: typeof statusOnCluster;
  readonly nodes: typeof nodesOnCluster;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

const REAL: LookParts = {
  ...{ status: statusOnCluster, nodes: nodesOnCluster, now: Date.now, sleep: sleepFor },
};

/**
 * Looks at a cluster, for some seconds where a node is behind. Rejects with a StoreError where nobody answers, and once the
 * signal aborts.
 */
export async function lookAtCluster(
  cluster: ClusterOptions,
  signal?: AbortSignal,
  parts: LookParts = REAL,
): Promise<ClusterLook> {
  const { address, key, unsafe } = cluster;
  const look = () => parts.status(address, key, parts.now, signal);
  const earlier: ClusterStatus[] = [];
  let status: ClusterStatus;
  try {
    status = await look();
    while (isAnyBehind(status) && earlier.length < LOOKS) {
      earlier.push(status);
      await parts.sleep(LOOK_MS, signal);
      status = await look();
    }
  } catch (error) {
    return whyFull(error, unsafe ? undefined : await parts.nodes(cluster, signal).catch(() => undefined));
  }
  const nodes = unsafe ? undefined : await parts.nodes(cluster, signal);
  return { status, nodes, faults: faultsIn(status, SILENCE_MS, earlier, nodes) };
}

/** Nodes that may store no more answer only on their monitoring ports. Throws the error where that is not why. */
function whyFull(error: unknown, nodes: NodeFindings | undefined): ClusterLook {
  if (nodes === undefined || nodes.full.length + nodes.nearlyFull.length === 0) throw error;
  const full = [...nodes.full, ...nodes.nearlyFull].map((line): Fault => ({ kind: "full", line }));
  return { status: undefined, nodes, faults: [...full, { kind: "node", line: messageOf(error) }] };
}
