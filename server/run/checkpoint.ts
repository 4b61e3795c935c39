import { crc32 } from "node:zlib";
import { concat, utf8 } from "../../protocol/bytes.ts";
import type { Hash, TicketId } from "../../protocol/ids.ts";
import { restarted, type State } from "../coordinator/state.ts";
import { type Store, StoreError } from "../store/store.ts";
import type { Late } from "./recent-deltas.ts";

/** A stored version, and what going on from it needs. */
export interface SnapshotPlace {
  readonly version: number;
  readonly hash: Hash;
  /** To go on from here, the journal's frames from this sequence number on are needed. */
  readonly needs: number;
}

/**
 * The state at a snapshot, so that a start reads the journal from here and not from the run's beginning. It
 * holds nothing that the journal does not: one that is missing, damaged or of another program is passed over.
 */
export interface Checkpoint {
  /** Journal records [0, applied) are in the state. */
  readonly applied: number;
  readonly state: State;
  /** Journal places of the frames not yet merged. */
  readonly frames: ReadonlyMap<TicketId, number>;
  /** The deltas of the newest versions. */
  readonly late: readonly Late[];
  /** The stored snapshots up to this one, oldest first; this one is the last. */
  readonly places: readonly SnapshotPlace[];
}

const SHELF = "snapshots";
const MAGIC = 0x3350_434d;
/** Bytes of magic and check. */
const HEADER_BYTES = 8;
/** Checkpoints that are read at a time. */
const AT_ONCE = 8;

export const checkpointOf = (hash: Hash): string => `${hash}.checkpoint`;

/** u32 magic "MCP3" | u32 CRC-32 of the rest | JSON, in which maps are tagged. */
export function encodeCheckpoint({
  applied,
  state,
  frames,
  late,
  places,
}: Checkpoint): Uint8Array<ArrayBuffer> {
  const lasting = restarted(state);
  const json = utf8(
    JSON.stringify({ keys: keysOf(lasting), applied, state: lasting, frames, late, places }, tag),
  );
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint32(0, MAGIC, true);
  header.setUint32(4, crc32(json), true);
  return concat(new Uint8Array(header.buffer), json);
}

/** Reads a checkpoint whose state has the parts that `like` has. Throws a StoreError on anything else. */
export function decodeCheckpoint(bytes: Uint8Array<ArrayBuffer>, like: State): Checkpoint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const json = bytes.subarray(HEADER_BYTES);
  if (bytes.length <= HEADER_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new StoreError("not a checkpoint");
  }
  if (view.getUint32(4, true) !== crc32(json)) throw new StoreError("a checkpoint is damaged");
  // This program wrote it, as the check and the list of the state's parts show.
  const read = JSON.parse(new TextDecoder().decode(json), untag) as Checkpoint & { readonly keys: string };
  if (read.keys !== keysOf(restarted(like))) throw new StoreError("a checkpoint is of another program");
  return read;
}

/** The readable checkpoints of stored snapshots, newest first. */
export async function readCheckpoints(store: Store, like: State, failed: (error: unknown) => void) {
  const names = (await store.list(SHELF)).filter((one) => one.endsWith(".checkpoint"));
  const found: Checkpoint[] = [];
  // Several at a time: where each costs round trips to a cluster, visitors wait for a server to lead.
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const some = names.slice(from, from + AT_ONCE).map((name) => readCheckpoint(store, name, like, failed));
    found.push(...(await Promise.all(some)).filter((checkpoint) => checkpoint !== undefined));
  }
  return found.sort((a, b) => b.applied - a.applied);
}

async function readCheckpoint(
  store: Pick<Store, "get">,
  name: string,
  like: State,
  failed: (error: unknown) => void,
): Promise<Checkpoint | undefined> {
  try {
    const bytes = await store.get(SHELF, name);
    const checkpoint = bytes && decodeCheckpoint(bytes, like);
    const hash = checkpoint?.places.at(-1)?.hash;
    return hash !== undefined && name === checkpointOf(hash) ? checkpoint : undefined;
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** The names of a state's parts, so that a program that has others reads the journal instead. */
const keysOf = (state: State): string => [...Object.keys(state), ...Object.keys(state.trust)].sort().join();

function tag(_key: string, value: unknown): unknown {
  return value instanceof Map ? { $map: [...value] } : value;
}

function untag(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return "$map" in value && Array.isArray(value.$map) ? new Map(value.$map) : value;
}
