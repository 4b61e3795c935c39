import { randomUUID } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import { messageOf } from "../../model/lib/message-of.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { processName } from "../lib/process-name.ts";
import { sleepFor } from "../lib/sleep.ts";
import { loginOf, refusedLine, serversIn } from "./cluster-login.ts";
import type { ClusterStatus, StreamCheck } from "./cluster-status.ts";
import type { ClusterStore, Handover } from "./followed-store.ts";
import { inboxStream } from "./inbox.ts";
import { InboxThread } from "./inbox-thread.ts";
import { Lease, type LeaseOptions, type SignBoard } from "./lease.ts";
import type { KeyFile } from "./nats-store.ts";
import { type Index, StoreError } from "./store.ts";

/** Milliseconds in which a cluster must answer at a start, and milliseconds between two tries. */
const ANSWER_MS = 20_000;
const AGAIN_MS = 500;
/**
 * Milliseconds after which a server that does not take a connection is left for the next one, and between two tries of the
 * same one.
 */
const DIAL_MS = 5_000;
const REDIAL_MS = 250;
/**
 * Milliseconds between two signs of life of a connection, and of those the number that may stay unanswered: a machine that has
 * lost its power ends no connection.
 */
const PING_MS = 1_500;
const MAX_PINGS = 2;
/** The oldest nats-server that is known to keep what it acknowledged, where its writes are synced. */
const MIN_VERSION = [2, 12, 3] as const;
/** Bytes of a message that a cluster must take at least: deltas of large models are as long. */
const MIN_PAYLOAD = 8_000_000;
const PACKAGES = "@nats-io/transport-node @nats-io/jetstream @nats-io/obj";

export interface ClusterAddress {
  /** `nats://a,b,c`. */
  readonly address: string;
  /** Takes one server, an old one, or one that takes only small messages: for a trial. */
  readonly unsafe: boolean;
  /** Where its nodes say how they do, `10.0.0.1:8222`, where that is not beside its servers. */
  readonly monitors?: readonly string[] | undefined;
}

export interface ClusterRun {
  /** Begins the names of the run's streams. */
  readonly name: string;
  readonly key: KeyFile;
  /** Called once no other server leads, or at once where nothing is written. */
  readonly index: () => Index;
  /** Deposes nobody, and writes nothing. */
  readonly reading?: boolean;
  /** Waits for as long as another server leads the run. */
  readonly standBy?: LeaseOptions["standBy"];
  /** Hears, in a line for people, what of the cluster was found to be damaged. */
  readonly warn?: (line: string) => void;
  /** Has what read the run while another server led it let go of it. */
  readonly led?: () => Handover;
}

/**
 * The store of a run on NATS JetStream. Becomes its writer, unless it only reads. Rejects with a StoreError, in one line,
 * where the packages are not installed, nobody answers, the cluster is not one to trust, or another server leads the run
 * and this one does not stand by.
 */
export async function openClusterStore(
  { address, unsafe }: ClusterAddress,
  { name, key, index, reading = false, standBy, led, warn }: ClusterRun,
): Promise<ClusterStore> {
  const { natsStore, natsBoard, natsLine, natsJobs, natsClaims } = await packages();
  const connection = await connectTo({ address, unsafe });
  const [replicas, writer] = [unsafe && serversIn(address).length < 3 ? 1 : 3, randomUUID()];
  let lease: Lease | undefined;
  let opened: Promise<Index> | undefined;
  const fetcher = new InboxThread({ address, stream: inboxStream(name) });
  const closed = async () => {
    await fetcher.close();
    await lease?.release();
    await connection.close();
  };
  try {
    if (!reading) {
      const board = await patiently(() => natsBoard({ connection, name, replicas, writer }));
      lease = await lead(board, writer, standBy);
    }
    const lost = lease && { lost: lease.lost };
    const left = led?.();
    opened = Promise.resolve(left?.over).then(index);
    opened.catch(() => {}); // the store's opening tells it
    const parts = {
      connection,
      name,
      key,
      index: opened,
      learned: left?.learned,
      reading,
      replicas,
      closed,
      writer,
      fetcher,
      ...lost,
      ...(warn && { warn }),
    };
    const store = await patiently(() => natsStore({ ...parts, sleep: sleepFor }));
    // Getters of the store would be read once if it were spread.
    return Object.assign(store, {
      line: await natsLine({ connection, name, writer, sleep: sleepFor }),
      jobs: natsJobs({ connection, name }),
      claims: natsClaims(connection, name),
    });
  } catch (error) {
    await opened?.then((index) => index.close()).catch(() => {});
    await closed();
    if (error instanceof StoreError || standBy?.signal.aborted) throw error;
    throw new StoreError(`${address} cannot be used: ${unusable(error)}`);
  }
}

/** Tries again what a cluster does not answer: while it elects leaders it does not for seconds. Rejects once the signal aborts. */
async function patiently<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (const until = performance.now() + ANSWER_MS; ; ) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreError || error instanceof ProtocolError || performance.now() > until)
        throw error;
    }
    await sleepFor(AGAIN_MS, signal);
  }
}

/** How a run on a cluster does. Rejects with a StoreError where nobody answers, and once the signal aborts; takes any cluster. */
export async function clusterStatus(
  address: string,
  name: string,
  now: () => number,
  signal?: AbortSignal,
): Promise<ClusterStatus> {
  const { natsStatus } = await import("./nats-status.ts");
  return looking(address, (connection) => natsStatus(connection, name, now), signal);
}

/** What each node has of a run, which reads all of it. Rejects as {@link clusterStatus} does. */
export async function clusterCheck(address: string, name: string): Promise<readonly StreamCheck[]> {
  const { checkNodes } = await import("./nats-check.ts");
  return looking(address, (connection) => checkNodes(connection, name));
}

async function looking<T>(
  address: string,
  look: (connection: NatsConnection) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const connection = await connectTo({ address, unsafe: true });
  try {
    return await patiently(() => look(connection), signal);
  } catch (error) {
    throw new StoreError(`${address} cannot be used: ${unusable(error)}`);
  } finally {
    await connection.close();
  }
}

/** JetStream's own words, while it has no leader. */
const unusable = (error: unknown): string => {
  const why = messageOf(error);
  return /temporarily unavailable|no responders|timeout/i.test(why)
    ? `most of its servers must be up, two of three, and agree on a leader (${why})`
    : why;
};

const lead = (board: SignBoard, writer: string, standBy: ClusterRun["standBy"]): Promise<Lease> =>
  Lease.acquire({
    ...{ board, writer, who: processName(), ...(standBy && { standBy }) },
    now: () => performance.now(),
    sleep: (ms, signal) => sleepFor(ms, signal).catch(() => signal.throwIfAborted()),
  });

/**
 * A connection to any node. Rejects with a StoreError where nobody answers, or whoever does is by its own word not to be
 * trusted: whether it syncs its writes it does not say here.
 */
export async function connectTo({ address, unsafe }: ClusterAddress): Promise<NatsConnection> {
  const { connect, credsAuthenticator } = await packages();
  const servers = serversIn(address);
  const connection = await connect({
    servers,
    ...loginOf(process.env, credsAuthenticator),
    // A cluster that refuses a login for a while, as while its accounts are changed, is asked again.
    ignoreAuthErrorAbort: true,
    timeout: DIAL_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: REDIAL_MS,
    pingInterval: PING_MS,
    maxPingOut: MAX_PINGS,
    noAsyncTraces: true, // it would note for each request, and each time limit, where in the program it was made
  }).catch((error: unknown) => {
    throw new StoreError(`${address} cannot be reached: ${refusedLine(error)}`);
  });
  if (unsafe) return connection;
  const { version = "", max_payload = 0 } = connection.info ?? {};
  try {
    const seen = Math.max(connection.info?.connect_urls?.length ?? 0, servers.length);
    requireSafe({ version, payload: max_payload, servers: seen });
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Loads what only a cluster needs. */
async function packages() {
  try {
    const { connect, credsAuthenticator } = await import("@nats-io/transport-node");
    const { natsStore } = await import("./nats-store.ts");
    const { natsBoard } = await import("./nats-board.ts");
    const { natsLine } = await import("./nats-line.ts");
    const { natsJobs } = await import("./nats-jobs.ts");
    const { natsClaims } = await import("./nats-claims.ts");
    return { connect, credsAuthenticator, natsStore, natsBoard, natsLine, natsJobs, natsClaims };
  } catch (error) {
    if (systemCode(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new StoreError(`a cluster needs three packages more: npm install ${PACKAGES}`);
  }
}

function requireSafe(found: { version: string; payload: number; servers: number }): void {
  const version = found.version.split(/[.-]/).map(Number);
  const older = MIN_VERSION.findIndex((least, i) => (version[i] ?? 0) !== least);
  const why =
    older >= 0 && (version[older] ?? 0) < MIN_VERSION[older]!
      ? `its servers are nats-server ${found.version}, and ${MIN_VERSION.join(".")} is the oldest that loses nothing`
      : found.servers < 3
        ? `it has ${found.servers} server(s), and three hold each message`
        : found.payload < MIN_PAYLOAD
          ? "its max_payload is too small: set it to 8MB"
          : undefined;
  if (why !== undefined)
    throw new StoreError(`the cluster is not one to trust: ${why} (--unsafe takes it all the same)`);
}
