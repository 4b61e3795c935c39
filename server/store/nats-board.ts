import {
  DiscardPolicy,
  type JetStreamManager,
  jetstream,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { errors, headers, type NatsConnection } from "@nats-io/transport-node";
import type { Sign, SignBoard } from "./lease.ts";
import { isWrongLast } from "./nats-errors.ts";
import { ASK_MS, makeStream, managerOf } from "./nats-manager.ts";

/** Of a sign: who wrote it, by a name for programs and by one for people, and whether it is that writer's last. */
const HEADERS = { writer: "Mu-Writer", who: "Mu-Who", over: "Mu-Over" } as const;

/** Milliseconds for which a server may take to say that it is there. That none is there the cluster says at once. */
const HERE_MS = 250;

export interface BoardOptions {
  readonly connection: NatsConnection;
  /** Begins the name of the run's streams. */
  readonly name: string;
  readonly replicas: number;
  /** Names this process, which can be found under it for as long as it is connected. */
  readonly writer: string;
}

/** A run's signs of life, in a stream that keeps the newest. Makes the stream where it is missing. */
export async function natsBoard(options: BoardOptions): Promise<SignBoard> {
  const { connection, name, replicas, writer: own } = options;
  const subject = `${name}.lead`;
  // Whoever leads must post its next sign before others, which see the board again too, have waited for long enough.
  const client = jetstream(connection, { timeout: ASK_MS });
  const manager = await managerOf(connection);
  await makeStream(connection, {
    name: boardStream(name),
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_msgs: 1,
    num_replicas: replicas,
    allow_direct: false, // any replica would answer, also one that is behind
  });
  connection.subscribe(hereSubject(name, own), { callback: (_error, message) => void message.respond() });
  return {
    last: () => lastSign(manager, name),
    async isGone(writer) {
      try {
        await connection.request(hereSubject(name, writer), undefined, { timeout: HERE_MS });
        return false;
      } catch (error) {
        return error instanceof errors.RequestError && error.isNoResponders();
      }
    },
    async post({ writer, who, over }, after) {
      const about = headers();
      about.set(HEADERS.writer, writer);
      about.set(HEADERS.who, who);
      about.set(HEADERS.over, over ? "yes" : "no");
      const expect = { lastSequence: after };
      try {
        return (await client.publish(subject, new Uint8Array(), { headers: about, expect })).seq;
      } catch (error) {
        if (isWrongLast(error)) return undefined;
        throw error;
      }
    },
  };
}

/** The writer of a sign that the cluster has lost. */
export const NOBODY = "";

/** Where a server answers that it is there. */
const hereSubject = (name: string, writer: string) => `${name}.here.${writer}`;
export const boardStream = (name: string) => `${name}_LEAD`;

/**
 * The newest sign, and when its stream took it, by the cluster's clock. One that the cluster has lost, as on a disk that
 * flipped a bit, is nobody's; but it has its number, after which the next may be posted: else nobody could ever lead again.
 */
export async function lastSign(
  manager: JetStreamManager,
  name: string,
): Promise<(Sign & { readonly seq: number; readonly at: Date }) | undefined> {
  const found = await manager.streams.getMessage(boardStream(name), { last_by_subj: `${name}.lead` });
  if (found === null) {
    const { state } = await manager.streams.info(boardStream(name));
    const nobodys = { writer: NOBODY, who: "a server whose sign was lost", over: false };
    return state.last_seq === 0
      ? undefined
      : { ...nobodys, seq: state.last_seq, at: new Date(state.last_ts) };
  }
  const { seq, header, time } = found;
  const [writer, who] = [header.get(HEADERS.writer), header.get(HEADERS.who)];
  return { seq, writer, who, over: header.get(HEADERS.over) === "yes", at: time };
}
