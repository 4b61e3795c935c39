import { type ClusterStatus, type Fault, faultsIn, isAnyBehind } from "../store/cluster-status.ts";
import { SILENCE_MS } from "../store/lease.ts";
import type { NodeFindings } from "../store/synced-nodes.ts";
import { type ClusterOptions, nodesOnCluster, statusOnCluster } from "./cluster.ts";

/** Looks at nodes that are a few messages behind, and milliseconds between two: who is behind in all of them is at fault. */
const LOOKS = 5;
const LOOK_MS = 1_000;

/** How a run on a cluster does. */
export interface ClusterLook {
  readonly status: ClusterStatus;
  /** What the nodes say of themselves; undefined where they need not be safe. */
  readonly nodes: NodeFindings | undefined;
  readonly faults: readonly Fault[];
}

export interface LookParts {
  readonly status: typeof statusOnCluster;
  readonly nodes: typeof nodesOnCluster;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** Looks at a cluster, for some seconds where a node is behind. Rejects with a StoreError where nobody answers. */
export async function lookAtCluster(
  cluster: ClusterOptions,
  sleep: LookParts["sleep"],
  { status: look, nodes: ask, now }: Pick<LookParts, "status" | "nodes" | "now"> = {
    status: statusOnCluster,
    nodes: nodesOnCluster,
    now: Date.now,
  },
): Promise<ClusterLook> {
  const earlier: ClusterStatus[] = [];
  let status = await look(cluster.address, cluster.key, now);
  while (isAnyBehind(status) && earlier.length < LOOKS) {
    earlier.push(status);
    await sleep(LOOK_MS);
    status = await look(cluster.address, cluster.key, now);
  }
  const nodes = cluster.unsafe ? undefined : await ask(cluster);
  return { status, nodes, faults: faultsIn(status, SILENCE_MS, earlier, nodes) };
}
