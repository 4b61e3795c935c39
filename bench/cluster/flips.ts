import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsCluster } from "../../test/harness/nats-cluster.ts";

/**
 * Flips a bit in each stream of a run on one node that only follows, behind its back, and has that node lead them. Resolves
 * to the messages of the journal that plain reads no longer find: the control.
 */
export async function flipAndLead(cluster: NatsCluster, run: string): Promise<number> {
  const connection = await cluster.connect();
  try {
    const manager = await jetstreamManager(connection);
    const [journal, objects] = [`${run}_LOG`, `OBJ_${run}_OBJ`];
    const { cluster: nodes, state } = await manager.streams.info(journal);
    const victim = Number(nodes?.replicas?.[0]?.name.slice(1));
    await cluster.kill(victim);
    for (const stream of [journal, objects]) await cluster.flip(victim, stream);
    cluster.restart(victim);
    for (const stream of [objects, journal]) await cluster.lead(connection, manager, victim, stream);
    // One after the other would be too late: whoever follows the run has another node lead within a second.
    const seqs = Array.from({ length: state.last_seq - state.first_seq + 1 }, (_, i) => state.first_seq + i);
    const found = seqs.map((seq) =>
      manager.streams.getMessage(journal, { seq }).then(
        (message) => message !== null,
        () => false,
      ),
    );
    return (await Promise.all(found)).filter((there) => !there).length;
  } finally {
    await connection.close();
  }
}
