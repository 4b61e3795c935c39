import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";
import type { JobLine, JobWork } from "../lib/jobs.ts";

/** All that wait for a kind of job are one group, of which one gets it. */
const QUEUE = "workers";
/** As NATS makes inboxes: a stranger's word must not have this server ask anything else. */
const ADDRESS = /^_INBOX\.\w{1,64}$/;
/** Bytes of a message that are its own: subjects and headers. */
const OVERHEAD_BYTES = 1_024;

export interface JobsOptions {
  readonly connection: NatsConnection;
  /** Begins the names of the run's subjects. */
  readonly name: string;
}

/** Jobs over NATS itself: a message that nobody waits for is answered so by the server, at once. */
export function natsJobs({ connection, name }: JobsOptions): JobLine {
  const subjectOf = (kind: string) => `${name}.job.${kind}`;
  return {
    get maxBytes() {
      return Math.max(0, (connection.info?.max_payload ?? 0) - OVERHEAD_BYTES);
    },
    ask(kind, job, heard) {
      const inbox = createInbox();
      const answers = connection.subscribe(inbox, {
        callback: (error, message) =>
          heard(error !== null || isUnheard(message) ? "nobody" : bytesOf(message)),
      });
      connection.publish(subjectOf(kind), job, { reply: inbox });
      return () => answers.unsubscribe();
    },
    take: (kind, work) => takeOneByOne(connection, subjectOf(kind), work),
    serve(handler) {
      const address = createInbox();
      const questions = connection.subscribe(address, {
        callback(error, message) {
          if (error !== null || message.reply === undefined) return;
          const answer = handler(bytesOf(message));
          if (answer !== undefined) message.respond(answer);
        },
      });
      return { address, stop: () => questions.unsubscribe() };
    },
    async request(address, question, waitMs) {
      if (!ADDRESS.test(address)) throw new RangeError("no address of a server's");
      return bytesOf(await connection.request(address, question, { timeout: waitMs }));
    },
    tell: (message) => connection.publish(`${name}.workers`, message),
    listen(heard) {
      const told = connection.subscribe(`${name}.workers`, {
        callback: (error, message) => {
          if (error === null) heard(bytesOf(message));
        },
      });
      return () => told.unsubscribe();
    },
  };
}

/** A subscription for one message at a time: who is at work is no member of the group, and is sent nothing. */
function takeOneByOne(connection: NatsConnection, subject: string, work: JobWork): () => void {
  let over = false;
  let waiting: { unsubscribe(): void } | undefined;
  const wait = () => {
    if (over || connection.isClosed()) return;
    waiting = connection.subscribe(subject, {
      ...{ queue: QUEUE, max: 1 },
      callback(error, message) {
        // One without a place for an answer is no leader's.
        if (error !== null || message.reply === undefined) return wait();
        const say = (said: Uint8Array) => {
          if (!connection.isClosed()) message.respond(said);
        };
        void work(bytesOf(message), say)
          .catch(() => {})
          .finally(wait);
      },
    });
  };
  wait();
  return () => {
    over = true;
    waiting?.unsubscribe();
  };
}

const bytesOf = ({ data }: Msg): Uint8Array<ArrayBuffer> => new Uint8Array(data);

/** NATS' own word that nobody waits for a message. */
const isUnheard = ({ data, headers }: Msg): boolean => data.length === 0 && headers?.code === 503;
