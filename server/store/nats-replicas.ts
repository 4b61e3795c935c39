import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { Mutex } from "../lib/mutex.ts";
import { DamagedReplica } from "./nats-errors.ts";

/** Milliseconds for which another node may take to lead a stream, and between two looks. */
const MOVE_MS = 15_000;
const LOOK_MS = 100;
/** Times a stream is given to another node for one read. */
const MAX_MOVES = 4;

export interface ReplicasOptions {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly sleep: (ms: number) => Promise<void>;
  /** Hears, in a line for people, what was found to be damaged. */
  readonly warn: (line: string) => void;
}

/**
 * The nodes that hold a run's streams. One whose disk has lost a message leads a stream as if it had all of it, and says
 * nothing (nats-server issue 7549). The others still have the message: so one of them is made to lead.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #moving = new Mutex();

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** What `read` resolves to. Where it finds a replica damaged, another one is read; rejects where none is whole. */
  async read<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof DamagedReplica)) throw error;
    }
    return this.#moving.run(async () => {
      for (let moves = 0; ; moves++) {
        try {
          return await read();
        } catch (error) {
          if (!(error instanceof DamagedReplica) || moves === MAX_MOVES) throw error;
          const node = await this.#moveLeader(error.stream);
          if (node === undefined) throw error;
          this.#options.warn(`${error.message} on ${node}: another node is read. Replace that one's disk.`);
        }
      }
    });
  }

  /** Has another node lead a stream; resolves to the one that did, or to undefined where no other has it. */
  async #moveLeader(stream: string): Promise<string | undefined> {
    const { connection, manager, sleep } = this.#options;
    const { cluster } = await manager.streams.info(stream);
    const before = cluster?.leader;
    if (before === undefined || (cluster?.replicas ?? []).length === 0) return undefined;
    await connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`);
    for (const until = performance.now() + MOVE_MS; performance.now() < until; await sleep(LOOK_MS)) {
      const leader = await manager.streams.info(stream).then(
        (info) => info.cluster?.leader,
        () => undefined,
      );
      if (leader !== undefined && leader !== "" && leader !== before) return before;
    }
    return before;
  }
}
