import {
  DeliverPolicy,
  type JetStreamManager,
  jetstream,
  type StoredMsg,
  type StreamInfo,
} from "@nats-io/jetstream";
import { headers, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import { DamagedReplica, LetGo } from "./nats-errors.ts";
import type { StoreError } from "./store.ts";

/**
 * Of a block: the number of its first record, how many it has, its check, who wrote it, and up to which message of the
 * inbox the journal has all.
 */
const HEADERS = {
  first: "Mu-First",
  records: "Mu-Records",
  check: "Mu-Check",
  writer: "Mu-Writer",
  taken: "Mu-Taken",
} as const;
/** Milliseconds for which nothing of a stream may come while it is read through a consumer, and times one is made. */
const READ_MS = 3_000;
const MAX_CONSUMERS = 5;
/**
 * Of so many blocks, and bytes of blocks, each is asked for by itself, data and all: whoever follows a run reads them next.
 * A consumer, which can leave the data out, has to be agreed on by the whole cluster, and dies with its node.
 */
const MAX_ASKED = 512;
const MAX_ASKED_BYTES = 32 * 1024 * 1024;
/** Messages that are asked for at a time. */
const AT_ONCE = 16;

/** A block in the stream: message `seq` has records [first, first + records). */
export interface BlockAt {
  readonly seq: number;
  readonly first: number;
  readonly records: number;
  readonly check: number;
  /** Messages of the inbox up to this one are in the journal by then; 0 in a journal without one. */
  readonly taken: number;
}

export interface BlocksOptions {
  readonly connection: NatsConnection;
  readonly manager: Pick<JetStreamManager, "streams">;
  /** The same, for what takes longer to bring. */
  readonly bringer: Pick<JetStreamManager, "streams">;
  readonly stream: string;
}

/** The blocks in a stream, and the bytes of those that came with them, by message. */
export interface ReadBlocks {
  readonly blocks: BlockAt[];
  readonly data: ReadonlyMap<number, Uint8Array>;
}

/** The headers of a block's message. */
export function headersOf({ first, records, check, taken }: Omit<BlockAt, "seq">, writer: string): MsgHdrs {
  const about = headers();
  about.set(HEADERS.first, String(first));
  about.set(HEADERS.records, String(records));
  about.set(HEADERS.check, String(check));
  about.set(HEADERS.taken, String(taken));
  about.set(HEADERS.writer, writer);
  return about;
}

/** What a message says of its block; undefined where it is none. */
export function blockOf({ seq, header }: Pick<StoredMsg, "seq" | "header">): BlockAt | undefined {
  const number = (name: string) =>
    /^\d{1,15}$/.test(header.get(name)) ? Number(header.get(name)) : undefined;
  const [first, records, check] = [number(HEADERS.first), number(HEADERS.records), number(HEADERS.check)];
  const taken = number(HEADERS.taken) ?? 0; // one of an earlier release does not say
  return first === undefined || records === undefined || check === undefined
    ? undefined
    : { seq, first, records, check, taken };
}

export const writerOf = ({ header }: Pick<StoredMsg, "header">): string => header.get(HEADERS.writer);

/** The blocks in the stream, those that are known first. Rejects with a StoreError where one is missing. */
export async function readBlocks(
  options: BlocksOptions,
  known: readonly BlockAt[] = [],
): Promise<ReadBlocks> {
  const { manager, stream } = options;
  const { state } = await manager.streams.info(stream);
  const last = known.at(-1)?.seq ?? 0;
  if (state.last_seq < last)
    throw new DamagedReplica(stream, `${stream} lacks its newest messages, or is another than before`);
  // Blocks are let go of from the first one on, and none in between.
  if ((state.num_deleted ?? 0) > 0)
    throw new DamagedReplica(stream, `${stream} has a gap: it lacks ${state.num_deleted} messages`);
  const blocks = known.filter(({ seq }) => seq >= state.first_seq);
  if (state.messages === 0 || state.last_seq === last) return { blocks, data: new Map() };
  const from = Math.max(last + 1, state.first_seq);
  const count = state.last_seq - from + 1;
  const bytes = (state.bytes / state.messages) * count;
  try {
    if (count > MAX_ASKED || bytes > MAX_ASKED_BYTES)
      return { blocks: await consumeBlocks(options, blocks, from, state), data: new Map() };
    return await askForBlocks(options, blocks, from, state);
  } catch (error) {
    if (error instanceof LetGo) return readBlocks(options, known);
    throw error;
  }
}

async function askForBlocks(
  options: BlocksOptions,
  blocks: BlockAt[],
  from: number,
  state: StreamInfo["state"],
): Promise<ReadBlocks> {
  const { bringer, stream } = options;
  const data = new Map<number, Uint8Array>();
  for (let seq = from; seq <= state.last_seq; seq += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, state.last_seq - seq + 1) }, (_, i) => seq + i);
    const messages = await Promise.all(some.map((seq) => bringer.streams.getMessage(stream, { seq })));
    for (const [i, message] of messages.entries()) {
      if (message === null) throw await whyMissing(options, some[i]!);
      pushNext(blocks, blockOf(message), stream, message.seq);
      data.set(message.seq, message.data);
    }
  }
  return { blocks, data };
}

/** By their headers alone. A consumer that brings nothing, as one whose node has just died, is left for another. */
async function consumeBlocks(
  options: BlocksOptions,
  blocks: BlockAt[],
  from: number,
  state: StreamInfo["state"],
): Promise<BlockAt[]> {
  const { connection, stream } = options;
  let next = (blocks.at(-1)?.seq ?? from - 1) + 1;
  for (let consumers = 0; consumers < MAX_CONSUMERS; consumers++) {
    const start = { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: next };
    const consumer = await jetstream(connection).consumers.get(stream, { headers_only: true, ...start });
    const messages = await consumer.consume();
    const late = setTimeout(() => messages.stop(), READ_MS);
    try {
      for await (const { seq, headers } of messages) {
        if (seq > next) throw await whyMissing(options, next);
        pushNext(blocks, headers && blockOf({ seq, header: headers }), stream, seq);
        next = seq + 1;
        if (seq >= state.last_seq) return blocks;
        late.refresh();
      }
    } finally {
      clearTimeout(late);
      await messages.close();
      await consumer.delete().catch(() => {}); // it expires
    }
  }
  throw new Error(`${stream} was not read to its end`);
}

/** A message that is not there was let go of since the stream was looked at, or is lost. */
async function whyMissing({ manager, stream }: BlocksOptions, seq: number): Promise<StoreError> {
  const { first_seq } = (await manager.streams.info(stream)).state;
  return seq < first_seq ? new LetGo(`${stream} was let go of while it was read`) : gapBefore(stream, seq);
}

function pushNext(blocks: BlockAt[], block: BlockAt | undefined, stream: string, seq: number): void {
  const before = blocks.at(-1);
  const dense =
    before === undefined || (block?.seq === before.seq + 1 && block.first === before.first + before.records);
  if (block === undefined || !dense) throw gapBefore(stream, seq);
  blocks.push(block);
}

const gapBefore = (stream: string, seq: number) =>
  new DamagedReplica(stream, `${stream} has a gap before message ${seq}`);
