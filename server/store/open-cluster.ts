import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../model/lib/message-of.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import type { KeyFile } from "./nats-store.ts";
import { type Index, type Store, StoreError } from "./store.ts";

/** Milliseconds in which a cluster must be reached at a start. */
const CONNECT_MS = 20_000;
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
}

export interface ClusterRun {
  /** Begins the names of the run's streams. */
  readonly name: string;
  readonly key: KeyFile;
  readonly index: Index;
  /** Deposes nobody, and writes nothing. */
  readonly reading?: boolean;
}

/**
 * The store of a run on NATS JetStream. Becomes its writer and deposes any other, unless it only reads. Rejects with a
 * StoreError, in one line, where the packages are not installed, nobody answers, or the cluster is not one to trust.
 */
export async function openClusterStore(
  { address, unsafe }: ClusterAddress,
  { name, key, index, reading = false }: ClusterRun,
): Promise<Store> {
  const { connect, natsStore } = await packages();
  const servers = address.replace(/^nats:\/\//, "").split(",");
  const connection = await connect({ servers, timeout: CONNECT_MS, maxReconnectAttempts: -1 }).catch(
    (error: unknown) => {
      throw new StoreError(`${address} cannot be reached: ${messageOf(error)}`);
    },
  );
  try {
    if (!unsafe) {
      const { version = "", max_payload = 0, connect_urls = [] } = connection.info ?? {};
      requireSafe({ version, payload: max_payload, servers: Math.max(connect_urls.length, servers.length) });
    }
    const replicas = unsafe ? 1 : 3;
    const closed = () => connection.close();
    const parts = { connection, name, key, index, reading, replicas, closed, writer: randomUUID() };
    return await natsStore({ ...parts, sleep: (ms) => sleep(ms) });
  } catch (error) {
    await connection.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError(`${address} cannot be used: ${messageOf(error)}`);
  }
}

/** Loads what only a cluster needs. */
async function packages() {
  try {
    const { connect } = await import("@nats-io/transport-node");
    const { natsStore } = await import("./nats-store.ts");
    return { connect, natsStore };
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
