import { sleepFor } from "../lib/sleep.ts";
import { serversIn } from "./cluster-login.ts";
import { monitorsBeside } from "./cluster-monitors.ts";
import { askNode } from "./monitored-node.ts";
import { type ClusterAddress, connectTo } from "./open-cluster.ts";
import { StoreError } from "./store.ts";
import { findingsOf, type NodeFindings } from "./synced-nodes.ts";

/** Looks at a cluster that elects, and milliseconds between two: an election takes 5 to 9 s. */
const LOOKS = 12;
const LOOK_MS = 1_000;

/**
 * Whether the nodes of a cluster sync what they acknowledge. A client of NATS cannot see it, so their monitoring ports are
 * asked. Rejects with a StoreError where nobody answers, or whoever does is not to be trusted, and once the signal aborts.
 */
export async function clusterSync(
  cluster: ClusterAddress,
  looks = LOOKS,
  signal?: AbortSignal,
): Promise<NodeFindings> {
  const places = cluster.monitors ?? monitorsBeside(serversIn(cluster.address));
  const connection = await connectTo(cluster);
  try {
    for (let look = 1; ; look++) {
      const answers = await Promise.all(places.map((place) => askNode(place)));
      const { server_id = "", server_name = "" } = connection.info ?? {};
      const findings = findingsOf({ id: server_id, name: server_name }, answers);
      if (!findings.unsettled || look >= looks) return findings;
      await sleepFor(LOOK_MS, signal);
    }
  } finally {
    await connection.close();
  }
}

/**
 * Rejects with a StoreError, in one line, where a node does not sync its writes or nobody knows whether it does; one that is
 * unsafe is taken all the same, with a warning.
 */
export async function requireSynced(cluster: ClusterAddress, warn: (line: string) => void): Promise<void> {
  const { faults, away } = await clusterSync(cluster, cluster.unsafe ? 1 : LOOKS);
  for (const name of away)
    warn(`${name} is away: \`cluster status\` says whether it syncs its writes once it is back`);
  if (faults.length === 0) return;
  if (!cluster.unsafe)
    throw new StoreError(
      `the cluster is not one to trust: ${faults.join("; ")} (--unsafe takes it all the same)`,
    );
  for (const fault of faults) warn(`--unsafe: ${fault}`);
}
