import { randomUUID } from "node:crypto";
import type { JetStreamManager } from "@nats-io/jetstream";
import { errors, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { ProtocolError } from "../../protocol/errors.ts";
import { type LeaderLine, refusalOf } from "../lib/passing.ts";
import { lastSign, NOBODY } from "./nats-board.ts";
import { isNoStream } from "./nats-errors.ts";
import { managerOf } from "./nats-manager.ts";
import {
  decodeAnswer,
  decodeBeat,
  decodeLeft,
  decodeRequest,
  encodeBeat,
  encodePassed,
} from "./passed-message.ts";

/** Milliseconds for which a request may be answered: one for a ticket waits for its version. */
const ANSWER_MS = 120_000;
/** Milliseconds for which a request waits for a server to lead, and between two looks. */
const LEADER_MS = 15_000;
const LOOK_MS = 250;
/** Milliseconds after which a sender tries again whom nobody answered. */
const RETRY_MS = 1_000;

export interface LineOptions {
  readonly connection: NatsConnection;
  /** Begins the names of the run's streams and subjects. */
  readonly name: string;
  /** Names this process among all that ever lead. */
  readonly writer: string;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Requests and answers between a run's servers, as messages that nobody stores. A server that leads hears those under its
 * own name, so that one whose time is over is asked by nobody who knows.
 */
export async function natsLine(options: LineOptions): Promise<LeaderLine> {
  const { connection, name, sleep } = options;
  const manager = await managerOf(connection);
  const watch = new LeaderWatch(manager, name);
  const most = connection.info?.max_payload ?? 0; // known for as long as there is a connection
  // A node that died may have had a request, or its answer: only who waits for it would find out, after minutes.
  eachReconnect(connection, () => watch.lost());
  connection.subscribe(backSubject(name, "*"), {
    callback: (error, message) => {
      if (error === null) watch.lost(message.subject.slice(message.subject.lastIndexOf(".") + 1));
    },
  });
  return {
    answer: (handler) => answer(options, handler),
    leader: async () => (await watch.now())?.who,
    tell: (beat) => connection.publish(beatSubject(name), encodeBeat({ from: options.writer, ...beat })),
    hear(listener) {
      connection.subscribe(beatSubject(name), {
        callback(error, message) {
          const beat = error === null ? decodedBy(decodeBeat, message) : undefined;
          if (beat !== undefined) listener(beat);
        },
      });
    },
    async ask(request, wait = true, left = undefined) {
      const id = left && randomUUID();
      const message = encodePassed(id === undefined ? request : { ...request, id });
      if (message.length > most)
        throw new ProtocolError("too-large", "the request is longer than the cluster's max_payload");
      for (const until = performance.now() + LEADER_MS; ; await sleep(LOOK_MS)) {
        if (left?.aborted) throw new ProtocolError("bad-request", "who asked has left");
        // While the cluster elects who has the signs, whoever led last most likely does: one that is gone hears nothing.
        const leader = await watch.now().catch(() => watch.last);
        if (leader !== undefined) {
          const gone = watch.changed(leader.writer);
          const tell = () => {
            if (!connection.isClosed()) connection.publish(leftSubject(name, leader.writer), id);
          };
          try {
            const asked = connection.request(subjectOf(name, leader.writer), message, { timeout: ANSWER_MS });
            left?.addEventListener("abort", tell);
            return decodeAnswer(new Uint8Array((await Promise.race([asked, gone.promise])).data));
          } catch (error) {
            // Only what nobody heard is asked again; of anything else the sender must find out by itself.
            const unheard = error instanceof errors.RequestError && error.isNoResponders();
            if (!unheard) throw error instanceof ProtocolError ? error : nobodyLeads();
          } finally {
            gone.stop();
            left?.removeEventListener("abort", tell);
          }
        }
        if (!wait || performance.now() > until) throw nobodyLeads();
      }
    },
  };
}

/** Undefined where a message is no server's of ours. */
function decodedBy<T>(decode: (message: Uint8Array<ArrayBuffer>) => T, { data }: Msg): T | undefined {
  try {
    return decode(new Uint8Array(data));
  } catch {
    return undefined;
  }
}

const beatSubject = (name: string) => `${name}.beat`;
const subjectOf = (name: string, writer: string) => `${name}.ask.${writer}`;
/** Where a server that leads hears that the sender of a request has left. */
const leftSubject = (name: string, writer: string) => `${name}.left.${writer}`;
/** Where a server that leads says that it had lost its node. */
const backSubject = (name: string, writer: string) => `${name}.back.${writer}`;

/** Calls `hear` whenever a connection has found another node after it lost one. */
function eachReconnect(connection: NatsConnection, hear: () => void): void {
  const listen = async () => {
    for await (const { type } of connection.status()) if (type === "reconnect") hear();
  };
  listen().catch(() => {}); // it is closed
}

const nobodyLeads = () =>
  new ProtocolError("not-durable", "no server that leads this run answered: send it again", RETRY_MS);

function answer(
  { connection, name, writer }: LineOptions,
  handler: Parameters<LeaderLine["answer"]>[0],
): void {
  /** Requests that are not answered yet, by their ids: whoever cannot guess one ends nobody else's. */
  const asking = new Map<string, AbortController>();
  const reply = async (message: Msg) => {
    const request = decodeRequest(new Uint8Array(message.data));
    const left = new AbortController();
    const { id } = request;
    if (id !== undefined) asking.set(id, left);
    const answered = await handler(request, senderOf(message), left.signal).finally(() => {
      if (id !== undefined && asking.get(id) === left) asking.delete(id);
    });
    const whole = encodePassed(answered);
    if (whole.length <= (connection.info?.max_payload ?? 0)) message.respond(whole);
    else message.respond(encodePassed(refusalOf(tooLong())));
  };
  eachReconnect(connection, () => connection.publish(backSubject(name, writer)));
  connection.subscribe(leftSubject(name, writer), {
    callback(error, message) {
      const id = error === null ? decodedBy(decodeLeft, message) : undefined;
      if (id !== undefined) asking.get(id)?.abort();
    },
  });
  // Until the connection is closed: one that leads no more refuses by itself, and silence would cost its asker seconds.
  connection.subscribe(subjectOf(name, writer), {
    callback(error, message) {
      // One without a place for an answer is no edge's.
      if (error !== null || message.reply === undefined) return;
      // Else its asker would wait until its time is over.
      const failed = (why: unknown) => message.respond(encodePassed(refusalOf(why)));
      reply(message)
        .catch(failed)
        .catch(() => {});
    },
  });
}

/** The edge that asks: all its answers go to one inbox, which ends in a number of the request. */
const senderOf = ({ reply = "" }: Msg): string => reply.slice(0, reply.lastIndexOf("."));

const tooLong = () =>
  new ProtocolError("internal-error", "the answer is longer than the cluster's max_payload");

interface Leader {
  readonly writer: string;
  /** For people. */
  readonly who: string;
}

/** Which server leads, looked at again as long as anybody waits for an answer. */
class LeaderWatch {
  readonly #manager: JetStreamManager;
  readonly #name: string;
  readonly #waiting = new Map<() => void, string>();
  #timer: NodeJS.Timeout | undefined;
  #last: Leader | undefined;
  #known: { readonly at: number; readonly sign: ReturnType<typeof lastSign> } | undefined;

  constructor(manager: JetStreamManager, name: string) {
    this.#manager = manager;
    this.#name = name;
  }

  /** Undefined where none leads, or never did. */
  async now(): Promise<Leader | undefined> {
    if (this.#known === undefined || performance.now() - this.#known.at >= LOOK_MS) {
      const sign = lastSign(this.#manager, this.#name);
      this.#known = { at: performance.now(), sign };
      sign.catch(() => {});
    }
    const sign = await this.#known.sign.catch((error: unknown) => {
      if (isNoStream(error)) return undefined;
      throw error;
    });
    this.#last = sign === undefined || sign.over || sign.writer === NOBODY ? undefined : sign;
    return this.#last;
  }

  /** The one that {@link now} resolved to last. */
  get last(): Leader | undefined {
    return this.#last;
  }

  /** Has those who wait for an answer send their requests again: all of them, or those that wait for one server. */
  lost(by?: string): void {
    for (const [tell, writer] of this.#waiting) if (by === undefined || by === writer) tell();
  }

  /** Rejects once another server than `writer` leads or what was sent to it may be lost, until it is stopped. */
  changed(writer: string): { readonly promise: Promise<never>; stop(): void } {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    const tell = () => reject(nobodyLeads());
    this.#waiting.set(tell, writer);
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS);
    return {
      promise,
      stop: () => {
        this.#waiting.delete(tell);
        if (this.#waiting.size > 0) return;
        clearInterval(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  async #look(): Promise<void> {
    const leader = await this.now().catch(() => undefined); // an election of the cluster's says nothing of ours
    if (leader === undefined) return;
    for (const [tell, writer] of this.#waiting) if (writer !== leader.writer) tell();
  }
}
