import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { unlessMissing } from "../../model/lib/system-code.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import { serverIdentity } from "../run/server-key.ts";
import type { ClusterStatus, StreamCheck } from "../store/cluster-status.ts";
import { writeDurably } from "../store/files.ts";
import type { ClusterStore } from "../store/followed-store.ts";
import type { KeyFile } from "../store/nats-store.ts";
import { nodeFiles } from "../store/node-files.ts";
import {
  type ClusterAddress,
  type ClusterRun,
  clusterCheck,
  clusterStatus,
  openClusterStore,
} from "../store/open-cluster.ts";
import { NO_INDEX } from "../store/read-only.ts";
import { sqliteIndex } from "../store/sqlite-index.ts";
import { type Index, StoreError } from "../store/store.ts";
import { clusterSync } from "../store/synced-cluster.ts";
import type { NodeFindings } from "../store/synced-nodes.ts";

/** Whose file a key is. */
const SECRET_MODE = 0o600;

/** A run on a cluster: where it is, and the file of its key. */
export interface ClusterOptions extends ClusterAddress {
  readonly key: string;
}

/**
 * The run's store on a cluster, once no other server leads the run; its index lies in the data directory, which has the
 * corpus too. Rejects with a StoreError, also where the directory has a journal of its own.
 */
export async function openCluster(
  directory: string,
  options: ClusterOptions,
  waiting: Pick<ClusterRun, "standBy" | "led" | "warn"> = {},
): Promise<ClusterStore> {
  if ((await nodeFiles(directory).list("journal")).length > 0) {
    throw new StoreError(
      `${directory} has a run of its own: copy it with \`murmuration cluster import\`, and serve another directory with the same corpus`,
    );
  }
  const key = keyFile(options.key);
  const name = await nameOf(options.key, "new");
  const index = () => sqliteIndex(join(directory, "index.sqlite"));
  return openClusterStore(options, { name, key, index, ...waiting });
}

/** The same, to be read while another server leads. Rejects with a StoreError where there is no such key, or no run. */
export async function openClusterEdge(options: ClusterOptions, index: () => Index): Promise<ClusterStore> {
  const key = keyFile(options.key);
  return openClusterStore(options, { name: await nameOf(options.key, "known"), key, index, reading: true });
}

/** The same, to copy to or, `reading`, from. Rejects with a StoreError where there is no such key. */
export async function openClusterCopy(options: ClusterOptions, reading: boolean): Promise<ClusterStore> {
  const key = keyFile(options.key);
  const name = await nameOf(options.key, "known");
  return openClusterStore(options, { name, key, index: () => NO_INDEX, reading });
}

/** How the run of a key does on a cluster. Rejects with a StoreError where there is no such key, or nobody answers. */
export async function statusOnCluster(
  address: string,
  key: string,
  now: () => number,
  signal?: AbortSignal,
): Promise<ClusterStatus> {
  return clusterStatus(address, await nameOf(key, "known"), now, signal);
}

/** What the nodes of a cluster say of themselves. Rejects with a StoreError where nobody answers. */
export const nodesOnCluster = (cluster: ClusterAddress, signal?: AbortSignal): Promise<NodeFindings> =>
  clusterSync({ ...cluster, unsafe: true }, undefined, signal);

/** What each node of a cluster has of the run of a key. Rejects as {@link statusOnCluster} does. */
export const checkOnCluster = async (address: string, key: string): Promise<readonly StreamCheck[]> =>
  clusterCheck(address, await nameOf(key, "known"));

/** The name of a run on a cluster follows from its key, so that two runs of one cluster never meet. */
async function nameOf(path: string, age: "new" | "known"): Promise<string> {
  const key = keyFile(path);
  if (age === "known" && (await key.read()) === undefined)
    throw new StoreError(`there is no key file ${path}`);
  const identity = await serverIdentity(
    { get: () => key.read(), put: (_shelf, _name, bytes) => key.write(bytes) },
    path,
  );
  return `MU_${(await sha256(utf8(identity.key))).slice(0, 16)}`;
}

function keyFile(path: string): KeyFile {
  const files = nodeFiles(dirname(path));
  return {
    read: async () => {
      const bytes = await readFile(path).catch(unlessMissing);
      return bytes && new Uint8Array(bytes);
    },
    write: (bytes) => writeDurably(files, basename(path), bytes, SECRET_MODE),
  };
}
