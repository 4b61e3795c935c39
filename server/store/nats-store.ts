import { crc32 } from "node:zlib";
import type { NatsConnection } from "@nats-io/transport-node";
import { lengthOf, type Pieces } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { asRefusal } from "./durability.ts";
import type { FollowedStore, Learned } from "./followed-store.ts";
import { GroupCommit } from "./group-commit.ts";
import { InboxProgress } from "./inbox-progress.ts";
import type { Fetcher } from "./inbox-thread.ts";
import { NatsArchive } from "./nats-archive.ts";
import { DamagedReplica, decidedAs } from "./nats-errors.ts";
import { NatsInbox } from "./nats-inbox.ts";
import { type LogOptions, logStream, NatsLog } from "./nats-log.ts";
import { BRING_MS, managerOf } from "./nats-manager.ts";
import { bucketOf, NatsObjects } from "./nats-objects.ts";
import { answered, NatsRecords } from "./nats-records.ts";
import { Replicas } from "./nats-replicas.ts";
import { joinPlace, joinRecord } from "./record-parts.ts";
import { type Index, type Shelf, StoreError } from "./store.ts";

/** Bytes of a message that are not its records: headers of ours and of JetStream's, and lengths. */
const OVERHEAD_BYTES = 64 * 1024;

export interface NatsStoreOptions {
  readonly connection: NatsConnection;
  /** Begins the names of the run's streams: letters, digits, `-` and `_`. */
  readonly name: string;
  /** Servers that hold each message: 1, 3 or 5. */
  readonly replicas: number;
  /** Names this process among all that ever write here. */
  readonly writer: string;
  readonly index: Index | Promise<Index>;
  /** Reads the inbox elsewhere in this process. */
  readonly fetcher?: Fetcher | undefined;
  /** What a store of this process has learned that only read the run. */
  readonly learned?: Learned | undefined;
  /** The run's key, which is in no cluster: whoever has it can speak for the run. */
  readonly key: KeyFile;
  /** Deposes nobody, and writes nothing. */
  readonly reading?: boolean;
  /** Aborts where another server has begun to lead the run: it is about to open this store. */
  readonly lost?: AbortSignal;
  /** Called last, when the store is closed. */
  readonly closed?: () => Promise<void>;
  readonly sleep: (ms: number) => Promise<void>;
  /** Monotonic milliseconds; those of the process where they are not given. */
  readonly now?: () => number;
  /** Hears, in a line for people, what was found to be damaged. */
  readonly warn?: (line: string) => void;
}

export interface KeyFile {
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  write(bytes: Pieces): Promise<void>;
}

const KEY_NAME = "server.key";

/**
 * A run on NATS JetStream: the journal's blocks in one stream, objects in a bucket, and in the bucket too, packed and
 * without their frames, the records that the stream has let go of. Opening it deposes whoever wrote before.
 */
export async function natsStore(options: NatsStoreOptions): Promise<FollowedStore> {
  const { connection, name, replicas, writer, learned, key, reading = false, sleep } = options;
  const stream = logStream(name);
  const [manager, bringer] = [await managerOf(connection), await managerOf(connection, BRING_MS)];
  const { warn = () => {}, now = () => performance.now() } = options;
  const nodes = new Replicas({ connection, manager, sleep, warn });
  const mend: LogOptions["mend"] = (read) => nodes.read(read);
  const subject = `${name}.log`;
  const about: LogOptions = { connection, stream, subject, replicas, writer, reading, sleep, mend };
  const log = await NatsLog.open(about, learned?.blocks);
  const inbox = await NatsInbox.open({
    connection,
    manager: bringer,
    name,
    replicas,
    reading,
    sleep,
    mend,
    now,
    warn,
    fetcher: options.fetcher,
  });
  const bucket = bucketOf(name);
  const objects = await NatsObjects.open(
    connection,
    { manager, mend, sleep },
    bucket,
    reading ? "known" : replicas,
    learned?.names,
  );
  const archive = await mend(async () => {
    const opened = await NatsArchive.open(objects).catch((error: unknown) => {
      throw error instanceof StoreError ? new DamagedReplica(objects.stream, error.message) : error;
    });
    requireWhole(log, opened, objects.stream);
    return opened;
  });
  const most = (connection.info?.max_payload ?? 0) - OVERHEAD_BYTES;
  const progress = new InboxProgress(log.taken);
  const write = (group: readonly Pieces[]) =>
    progress.write(group, (taken) => log.append(group, taken)).catch(refuse);
  const commits = new GroupCommit(write, most);
  // What a cluster does not answer is to be tried again: a merge that failed so three times would pause the run.
  const fence = () => log.fence().catch(refuse);
  let closed = false;

  const records = new NatsRecords({ log, archive, inbox }, learned?.kept);
  const index = await options.index;
  const append = (pieces: readonly Uint8Array[]) => {
    if (closed) return Promise.reject(new StoreError("the journal is closed"));
    if (lengthOf(pieces) > most) {
      const line = `a record of ${lengthOf(pieces)} bytes is more than the cluster's max_payload takes`;
      return Promise.reject(new ProtocolError("too-large", line));
    }
    return commits.append(pieces);
  };
  return {
    append: (head, frame) => append(joinRecord(head, frame)),
    async refresh() {
      await log.refresh(); // first: what it has let go of by now is archived
      await archive.refresh();
      requireWhole(log, archive, objects.stream);
      inbox?.looked();
    },
    unread: () => log.unread(),
    get stripped() {
      return archive.length;
    },
    get learned() {
      return { blocks: log.blocks, kept: records.kept, names: objects.seen };
    },
    records: (from = 0, frames = true) => records.from(from, frames),
    read: (sequence) => records.whole(sequence),
    frame: (sequence) => records.frame(sequence),
    get length() {
      return log.length;
    },
    async strip(before) {
      await fence();
      const old = log.blocks.slice(0, -1).filter(({ first, records }) => first + records <= before);
      const next = log.blocks[old.length];
      if (old.length === 0 || next === undefined) return;
      await archive.extend(next.first, (sequence) => records.bare(sequence));
      await log.letGoBefore(next).catch(refuse);
      await inbox?.letGo(old.at(-1)?.taken ?? 0).catch(refuse);
      await archive.join().catch(refuse);
    },
    async put(shelf, name, bytes) {
      if (isKey(shelf, name)) return key.write(bytes);
      await fence();
      await objects.put(`${shelf}/${name}`, bytes).catch(refuse);
    },
    get: (shelf, name) => (isKey(shelf, name) ? key.read() : answered(objects.get(`${shelf}/${name}`))),
    list: (shelf) => answered(objects.list(shelf)),
    async remove(shelf, name) {
      await fence();
      await answered(objects.remove(`${shelf}/${name}`));
    },
    deposed: options.lost ? AbortSignal.any([log.deposed, options.lost]) : log.deposed,
    index,
    ...(inbox && {
      inbox: {
        put: (ticket, message) => inbox.put(ticket, message),
        after: (seq, most) => inbox.after(seq, most),
        arrival: (signal) => inbox.arrival(signal),
        waiting: () => answered(inbox.since(log.taken)),
        get taken() {
          return log.taken;
        },
        append(head, { seq, frame, taken, check = crc32(frame) }) {
          records.keep(seq, frame);
          const pieces = joinPlace(head, { seq, bytes: frame.length, check });
          progress.note(pieces, { seq, taken });
          return append(pieces);
        },
      },
    }),
    async close() {
      closed = true;
      log.close();
      await commits.idle();
      index.close();
      await options.closed?.();
    },
  };
}

const isKey = (shelf: Shelf, name: string) => shelf === "run" && name === KEY_NAME;

function refuse(error: unknown): never {
  throw decidedAs(error) ?? asRefusal(error);
}

/** The stream must go on where the archive ends. Throws a StoreError: the archive's bucket has lost a part. */
function requireWhole(log: NatsLog, archive: NatsArchive, bucket: string): void {
  const [oldest] = log.blocks;
  if (oldest !== undefined && oldest.first > archive.length) {
    throw new DamagedReplica(bucket, `the journal lacks records ${archive.length} to ${oldest.first}`);
  }
}
