import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsCluster } from "../../test/harness/nats-cluster.ts";

/** Messages of a stream that plain reads do not find. */
async function lostIn(manager: JetStreamManager, stream: string): Promise<number> {
  const { state } = await manager.streams.info(stream);
  const seqs = Array.from({ length: state.last_seq - state.first_seq + 1 }, (_, i) => state.first_seq + i);
  // One after the other would be too late: whoever follows the run has another node lead within a second.
  const found = seqs.map((seq) =>
    manager.streams.getMessage(stream, { seq }).then(
      (message) => message !== null,
      () => false,
    ),
  );
  return (await Promise.all(found)).filter((there) => !there).length;
}

/**
 * Flips a bit in each stream of a run on one node that only follows, behind its back, and has that node lead them; not in the
 * journal where that is as short as without frames. Resolves to the messages of journal and inbox that plain reads no longer
 * find: the control.
 */
export async function flipAndLead(cluster: NatsCluster, run: string): Promise<number> {
  const connection = await cluster.connect();
  try {
    const manager = await jetstreamManager(connection);
    const streams = [`${run}_LOG`, `${run}_IN`, `OBJ_${run}_OBJ`] as const;
    const [journal, inbox] = streams;
    const { cluster: nodes } = await manager.streams.info(journal);
    const victim = Number(nodes?.replicas?.[0]?.name.slice(1));
    await cluster.kill(victim);
    const flipped = [];
    for (const stream of streams) if (await cluster.flip(victim, stream)) flipped.push(stream);
    if (!flipped.includes(inbox)) throw new Error(`node ${victim} has too little of ${inbox}`);
    cluster.restart(victim);
    for (const stream of streams.toReversed()) await cluster.lead(connection, manager, victim, stream);
    const lost = await Promise.all([journal, inbox].map((stream) => lostIn(manager, stream)));
    return lost.reduce((sum, each) => sum + each, 0);
  } finally {
    await connection.close();
  }
}
