import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { errors, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { ERROR_STATUS, ProtocolError } from "../../protocol/errors.ts";
import { as, asArray, asObject, asText, parseJson } from "../../protocol/guards.ts";
import type { LeaderLine, PassedAnswer, PassedRequest } from "../lib/passing.ts";
import { lastSign } from "./nats-board.ts";
import { isNoStream } from "./nats-errors.ts";
import { joinRecord, splitRecord } from "./record-parts.ts";

/** Milliseconds for which a request may be answered: one for a ticket waits for its version. */
const ANSWER_MS = 120_000;
/** Milliseconds for which a request waits for a server to lead, and between two looks. */
const LEADER_MS = 15_000;
const LOOK_MS = 250;
/** Milliseconds after which a sender tries again whom nobody answered. */
const RETRY_MS = 1_000;
const MAX_HEADERS = 200;
const MAX_TEXT_CHARS = 32_768;

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
  const manager = await jetstreamManager(connection);
  const watch = new LeaderWatch(manager, name);
  const most = connection.info?.max_payload ?? 0; // known for as long as there is a connection
  return {
    answer: (handler) => answer(options, handler),
    leader: async () => (await watch.now())?.who,
    async ask(request, wait = true) {
      const message = concat(...joinRecord(utf8(JSON.stringify({ ...request, body: null })), request.body));
      if (message.length > most)
        throw new ProtocolError("too-large", "the request is longer than the cluster's max_payload");
      for (const until = performance.now() + LEADER_MS; ; await sleep(LOOK_MS)) {
        const leader = await watch.now().catch(() => undefined);
        if (leader !== undefined) {
          const gone = watch.changed(leader.writer);
          try {
            const asked = connection.request(subjectOf(name, leader.writer), message, { timeout: ANSWER_MS });
            return decodeAnswer(new Uint8Array((await Promise.race([asked, gone.promise])).data));
          } catch (error) {
            // Only what nobody heard is asked again; of anything else the sender must find out by itself.
            const unheard = error instanceof errors.RequestError && error.isNoResponders();
            if (!unheard) throw error instanceof ProtocolError ? error : nobodyLeads();
          } finally {
            gone.stop();
          }
        }
        if (!wait || performance.now() > until) throw nobodyLeads();
      }
    },
  };
}

const subjectOf = (name: string, writer: string) => `${name}.ask.${writer}`;

const nobodyLeads = () =>
  new ProtocolError("not-durable", "no server that leads this run answered: send it again", RETRY_MS);

function answer(
  { connection, name, writer }: LineOptions,
  handler: Parameters<LeaderLine["answer"]>[0],
): void {
  const reply = async (message: Msg) => {
    const answered = await handler(decodeRequest(new Uint8Array(message.data)));
    const whole = encodeAnswer(answered);
    if (whole.length <= (connection.info?.max_payload ?? 0)) message.respond(whole);
    else message.respond(encodeAnswer(refusal("the answer is longer than the cluster's max_payload")));
  };
  // Until the connection is closed: one that leads no more refuses by itself, and silence would cost its asker seconds.
  connection.subscribe(subjectOf(name, writer), {
    callback(error, message) {
      if (error !== null) return;
      // Else its asker would wait until its time is over.
      const failed = () => message.respond(encodeAnswer(refusal("the request cannot be passed on")));
      reply(message)
        .catch(failed)
        .catch(() => {});
    },
  });
}

/** To a request that no route could answer; no version is named, so that nobody waits for it. */
function refusal(why: string): PassedAnswer {
  const error = new ProtocolError("internal-error", why);
  const headers = [["content-type", "application/json; charset=utf-8"]] as const;
  const body = utf8(JSON.stringify(error.body()));
  return { status: ERROR_STATUS[error.code], headers, version: 0, body };
}

/** Which server leads, looked at again as long as anybody waits for an answer. */
class LeaderWatch {
  readonly #manager: JetStreamManager;
  readonly #name: string;
  readonly #waiting = new Map<() => void, string>();
  #timer: NodeJS.Timeout | undefined;
  #known: { readonly at: number; readonly sign: ReturnType<typeof lastSign> } | undefined;

  constructor(manager: JetStreamManager, name: string) {
    this.#manager = manager;
    this.#name = name;
  }

  /** Undefined where none leads, or never did. */
  async now(): Promise<{ readonly writer: string; readonly who: string } | undefined> {
    if (this.#known === undefined || performance.now() - this.#known.at >= LOOK_MS) {
      const sign = lastSign(this.#manager, this.#name);
      this.#known = { at: performance.now(), sign };
      sign.catch(() => {});
    }
    const sign = await this.#known.sign.catch((error: unknown) => {
      if (isNoStream(error)) return undefined;
      throw error;
    });
    return sign === undefined || sign.over ? undefined : sign;
  }

  /** Rejects once another server than `writer` leads, until it is stopped. */
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

function decodeRequest(message: Uint8Array<ArrayBuffer>): PassedRequest {
  const { head, frame } = splitRecord(message);
  const { method, target, headers, address, encrypted } = parseJson(head);
  return {
    method: asText(method, "method", 16),
    target: asText(target, "target", MAX_TEXT_CHARS),
    headers: headersOf(headers),
    address: asText(address, "address", 128),
    encrypted: encrypted === true,
    body: frame,
  };
}

const encodeAnswer = ({ body, ...head }: PassedAnswer) =>
  concat(...joinRecord(utf8(JSON.stringify(head)), body));

function decodeAnswer(message: Uint8Array<ArrayBuffer>): PassedAnswer {
  const { head, frame } = splitRecord(message);
  const { status, headers, version } = asObject(parseJson(head), "an answer");
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
  return {
    status: as(isCount, status, "a status"),
    headers: headersOf(headers),
    version: as(isCount, version, "a version"),
    body: frame,
  };
}

const headersOf = (list: unknown): (readonly [string, string])[] =>
  asArray(list, "headers", MAX_HEADERS).map((pair) => {
    const [key, value] = asArray(pair, "a header", 2);
    return [asText(key, "a header", 256), asText(value, "a header", MAX_TEXT_CHARS)];
  });
