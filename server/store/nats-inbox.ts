import { crc32 } from "node:zlib";
import {
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import type { Subscription } from "@nats-io/transport-node";
import { ProtocolError } from "../../protocol/errors.ts";
import type { TicketId } from "../../protocol/ids.ts";
import { MinorGc } from "../lib/minor-gc.ts";
import { type Inbox, type InboxMessage, inboxStream, nextIn } from "./inbox.ts";
import type { Fetcher } from "./inbox-thread.ts";
import { DamagedReplica, decidedAs, isWrongLast, LetGo } from "./nats-errors.ts";
import type { LogOptions } from "./nats-log.ts";
import { ASK_MS, makeStream, streamIfThere } from "./nats-manager.ts";
import type { FramePlace } from "./record-parts.ts";
import { StoreError } from "./store.ts";

/** Milliseconds for which a message is tried to be kept, and between two tries: an election takes 5 to 9 s. */
const PUT_MS = 10_000;
const AGAIN_MS = 250;
/** Bytes of a message that a cluster stores in a millisecond at least, on a busy disk and link. */
const MIN_RATE = 2_000;
/** Milliseconds after which a sender may try again. */
const RETRY_MS = 1_000;
/**
 * Milliseconds for which a server keeps messages after it last heard of the journal. One that was away, as in a debugger,
 * knows no longer which tickets are used: once their messages are let go of it would keep another.
 */
const FRESH_MS = 10_000;
/** Milliseconds for which a message stays after nobody needs its frame any more: longer than all that a server may miss. */
const KEPT_MS = 60_000;
/** Milliseconds between two looks for messages of whose arrival nobody said anything. */
const LOOK_MS = 500;

export interface NatsInboxOptions extends Pick<LogOptions, "connection" | "mend" | "reading" | "sleep"> {
  readonly manager: JetStreamManager;
  /** Begins the names of the run's streams and subjects. */
  readonly name: string;
  readonly replicas: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly warn: (line: string) => void;
  /** Reads messages in place of this thread; what it does not find is looked for here. */
  readonly fetcher?: Fetcher | undefined;
}

/**
 * Deltas that are acknowledged, as messages of one stream, each under a subject of its ticket's. A message is published on
 * condition that its subject has none, which the stream's leader decides.
 */
export class NatsInbox implements Pick<Inbox, "put" | "after" | "arrival"> {
  readonly #options: NatsInboxOptions;
  readonly #client: JetStreamClient;
  readonly #stream: string;
  /** Messages that no node has any more. */
  readonly #lost = new Set<number>();
  /** Messages that nobody needs, and since when. */
  #old: { readonly seq: number; readonly since: number }[] = [];
  #looked: number;
  #hears: Subscription | undefined;
  readonly #minorGc = new MinorGc();
  /** Whether somebody said that a message has come since anybody waited for one. */
  #came = false;
  #wake = () => {};

  private constructor(options: NatsInboxOptions) {
    this.#options = options;
    this.#client = jetstream(options.connection);
    this.#stream = inboxStream(options.name);
    this.#looked = options.now();
  }

  /** Makes the stream where it is missing. Undefined where that cannot be, since another server leads one of old. */
  static async open(options: NatsInboxOptions): Promise<NatsInbox | undefined> {
    const { manager, name, replicas, reading } = options;
    const stream = inboxStream(name);
    if (reading) {
      const there = await streamIfThere(manager, stream);
      return there && new NatsInbox(options);
    }
    await makeStream(options.connection, {
      name: stream,
      subjects: [subjectOf(name, "*")],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      num_replicas: replicas,
      allow_direct: true, // any replica may answer who reads: what one lacks so far is asked of the leader
    });
    return new NatsInbox(options);
  }

  /** The server has just learned what the journal holds. */
  looked(): void {
    this.#looked = this.#options.now();
  }

  async put(ticket: TicketId, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { connection, name, now, sleep } = this.#options;
    const subject = subjectOf(name, ticket);
    if (message.length > (connection.info?.max_payload ?? 0) - HEADER_BYTES)
      throw new ProtocolError("too-large", "the delta is longer than the cluster's max_payload");
    if (now() - this.#looked > FRESH_MS)
      throw new ProtocolError("not-durable", "this server has not heard of the run for too long", RETRY_MS);
    const timeout = ASK_MS + message.length / MIN_RATE;
    for (let until = now() + PUT_MS, uncertain = false; now() < until; await sleep(AGAIN_MS)) {
      try {
        await this.#client.publish(subject, message, { expect: { lastSubjectSequence: 0 }, timeout });
        connection.publish(arrivalSubject(name)); // heard or not: whoever leads looks by itself, too
        return message;
      } catch (error) {
        // The one that came before is readable a moment later.
        const kept = isWrongLast(error) ? await this.#kept(subject) : undefined;
        if (kept !== undefined) return kept;
        const refusal = isWrongLast(error) ? undefined : decidedAs(error);
        if (refusal !== undefined && !uncertain) throw refusal;
        uncertain = true;
      }
    }
    throw new ProtocolError("not-durable", "the cluster does not answer: send it again", RETRY_MS);
  }

  async #kept(subject: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { manager } = this.#options;
    const found = await manager.streams.getMessage(this.#stream, { last_by_subj: subject }).catch(() => null);
    return found === null ? undefined : new Uint8Array(found.data);
  }

  async after(seq: number, most: number): Promise<readonly InboxMessage[]> {
    const asked = this.#options.fetcher?.ask({ after: seq, most, lost: [...this.#lost] });
    const found = await asked?.catch(() => undefined);
    if (found === undefined) return this.#after(seq, most);
    this.looked();
    const whole = found.map(async (one) => {
      this.#minorGc.received(one.bytes?.length ?? 0);
      const bytes = one.bytes ?? (await this.#unlessLost(one.seq));
      return bytes === undefined ? [] : [{ ...one, bytes }];
    });
    return (await Promise.all(whole)).flat();
  }

  async #after(seq: number, most: number): Promise<readonly InboxMessage[]> {
    const { state } = await this.#options.manager.streams.info(this.#stream);
    this.looked();
    const wanted = nextIn(state, { after: seq, most, lost: this.#lost });
    const found = await Promise.all(wanted.map(async (seq) => ({ seq, bytes: await this.#unlessLost(seq) })));
    return found.flatMap(({ seq, bytes }) => (bytes === undefined ? [] : [{ seq, bytes }]));
  }

  /** A delta that no node has any more is no reason to count no other. */
  async #unlessLost(seq: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await this.#read(seq);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#lost.add(seq);
      if (!(error instanceof LetGo)) this.#options.warn(`${error.message} on every node: a delta is lost`);
      return undefined;
    }
  }

  async arrival(signal: AbortSignal): Promise<void> {
    const { connection, name, sleep } = this.#options;
    this.#hears ??= connection.subscribe(arrivalSubject(name), {
      callback: () => {
        this.#came = true;
        this.#wake();
      },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener("abort", this.#wake);
    if (!this.#came && !signal.aborted) await Promise.race([promise, sleep(LOOK_MS)]);
    signal.removeEventListener("abort", this.#wake);
    this.#came = false;
  }

  /** Messages that are newer than one. */
  async since(taken: number): Promise<number> {
    const { state } = await this.#options.manager.streams.info(this.#stream);
    return Math.max(0, state.last_seq - Math.max(taken, state.first_seq - 1));
  }

  /** Rejects with a {@link LetGo} where nobody needs it any more, and with another StoreError where no node has it. */
  async frame({ seq, bytes, check }: FramePlace): Promise<Uint8Array<ArrayBuffer>> {
    const fetched = await this.#options.fetcher?.ask({ seq, tail: bytes })?.catch(() => undefined);
    const [near] = fetched ?? [];
    if (near?.bytes !== undefined && near.check === check)
      return near.bytes.subarray(near.bytes.length - bytes);
    const message = await this.#read(seq);
    const frame = message.subarray(message.length - bytes);
    if (bytes > message.length || crc32(frame) !== check)
      throw new StoreError(`message ${seq} of ${this.#stream} is not what was journaled`);
    return frame;
  }

  async #read(seq: number): Promise<Uint8Array<ArrayBuffer>> {
    const { manager, mend } = this.#options;
    const near = await manager.direct.getMessage(this.#stream, { seq }).catch(() => null);
    if (near !== null) {
      this.#minorGc.received(near.data.length);
      return new Uint8Array(near.data);
    }
    return mend(async () => {
      const found = await manager.streams.getMessage(this.#stream, { seq });
      if (found !== null) return new Uint8Array(found.data);
      const { state } = await manager.streams.info(this.#stream);
      if (seq < state.first_seq) throw new LetGo(`message ${seq} of ${this.#stream} was let go of`);
      throw new DamagedReplica(this.#stream, `message ${seq} of ${this.#stream} is missing`);
    });
  }

  /** Lets go of the messages up to one, whose frames nobody needs, a while after this is said first. */
  async letGo(seq: number): Promise<void> {
    const { manager, now } = this.#options;
    if (seq > (this.#old.at(-1)?.seq ?? 0)) this.#old.push({ seq, since: now() });
    const last = this.#old.findLast(({ since }) => now() - since >= KEPT_MS);
    if (last === undefined) return;
    await manager.streams.purge(this.#stream, { seq: last.seq + 1 });
    this.#old = this.#old.filter((old) => old.seq > last.seq);
  }
}

/** Bytes of a message's headers, ours and JetStream's, at most. */
const HEADER_BYTES = 4 * 1024;
const subjectOf = (name: string, ticket: string) => `${name}.in.${ticket}`;
const arrivalSubject = (name: string) => `${name}.arrival`;
