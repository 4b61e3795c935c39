import { messageOf } from "../../model/lib/message-of.ts";
import { parseChunks, verifyChunks } from "../../protocol/chunks.ts";
import { maxFrameBytes } from "../../protocol/frame.ts";
import { asObject, parseJson } from "../../protocol/guards.ts";
import { sha256 } from "../../protocol/identity.ts";
import { diffName, type Hash, type ObjectName, shardName, snapshotName } from "../../protocol/ids.ts";
import { MAX_LIST_BYTES, MAX_SHARD_TOKENS, MAX_SNAPSHOT_HEADER } from "../../protocol/limits.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { pathInMirror, ROUTES } from "../../protocol/routes.ts";
import type { Api, Call } from "./api.ts";
import { WrongBytes } from "./away.ts";
import { readBody, Watchdog } from "./body.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Milliseconds in which a mirror must send {@link MIN_BYTES} more, or all that is left: what a slow one costs. */
const SLOW_MS = 10_000;
const MIN_BYTES = 128 * 1024;
/** Milliseconds that a mirror is left alone which could not be reached, or was slow. */
const REST_MS = 5 * 60_000;

export interface MirrorOptions {
  readonly fetch?: typeof fetch;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Hears the bytes of bodies that came from the mirror. */
  readonly traffic?: (bytes: number) => void;
  /** Hears in a line why a mirror is not asked any more. */
  readonly say?: (line: string) => void;
}

/**
 * The same Api, with snapshots, diffs and shards from the mirror that the manifest names (rule K10), and from the server
 * where the mirror has nothing, is slow, cannot be reached, or has sent other bytes. One that has is not asked again.
 */
export function mirroredApi(api: Api, options: MirrorOptions): Api {
  let manifest: Manifest | undefined;
  let mirror: Mirror | undefined;
  /** Bytes that the server has not been told of. */
  let untold = 0;
  const traffic = (bytes: number) => {
    untold += bytes;
    options.traffic?.(bytes);
  };
  const bring = async (
    object: ObjectName,
    hash: Hash | undefined,
    most: number,
    call: Call | undefined,
    direct: () => Promise<Bytes>,
  ) => (await mirror?.bring(object, hash, most, call ?? {})) ?? direct();
  return {
    ...api,
    async manifest(call) {
      const before = manifest;
      manifest = await api.manifest(call);
      // The same mirror of the same run keeps what is known of it.
      if (manifest.mirror === undefined) mirror = undefined;
      else if (manifest.mirror !== before?.mirror || manifest.run !== before.run) {
        mirror = new Mirror(manifest, manifest.mirror, { ...options, traffic });
      }
      return manifest;
    },
    async ticket(identity, pace, call) {
      const mirrored = untold;
      const ticket = await api.ticket(identity, mirrored > 0 ? { ...pace, mirrored } : pace, call);
      untold -= mirrored;
      return ticket;
    },
    snapshot: (hash, parameters, call) =>
      bring(snapshotName(hash), hash, MAX_SNAPSHOT_HEADER + 4 * parameters, call, () =>
        api.snapshot(hash, parameters, call),
      ),
    diff: (version, parameters, call) =>
      bring(diffName(version), undefined, maxFrameBytes(parameters), call, () =>
        api.diff(version, parameters, call),
      ),
    shard: (hash, call) =>
      bring(shardName(hash), hash, 2 * MAX_SHARD_TOKENS, call, () => api.shard(hash, call)),
  };
}

/** A mirror, and what is known of it. */
class Mirror {
  readonly #run: Pick<Manifest, "run" | "server">;
  readonly #url: string;
  readonly #options: MirrorOptions;
  #askAgainAt = Number.NEGATIVE_INFINITY;

  constructor(run: Pick<Manifest, "run" | "server">, url: string, options: MirrorOptions) {
    this.#run = run;
    this.#url = url;
    this.#options = options;
  }

  /** An object of that hash, or of the hash that its list has; undefined where it is to be had from the server. */
  async bring(
    object: ObjectName,
    hash: Hash | undefined,
    most: number,
    call: Call,
  ): Promise<Bytes | undefined> {
    if (this.#options.clock() < this.#askAgainAt) return undefined;
    try {
      const wanted = hash ?? (await this.#listed(object, most, call));
      const bytes = wanted && (await this.#get(pathInMirror(object, wanted), most, call));
      if (bytes === undefined) return undefined;
      const found = await sha256(bytes);
      if (found !== wanted) throw new WrongBytes(`${object}: asked for ${wanted}, got ${found}`);
      return bytes;
    } catch (error) {
      call.signal?.throwIfAborted();
      this.#leave(error);
      return undefined;
    }
  }

  /** The hash in an object's list, which the run's server has signed. */
  async #listed(object: ObjectName, most: number, call: Call): Promise<Hash | undefined> {
    const bytes = await this.#get(ROUTES.chunks(object), MAX_LIST_BYTES, {
      ...(call.signal && { signal: call.signal }),
    });
    if (bytes === undefined) return undefined;
    const { run, server } = this.#run;
    const list = listIn(bytes, most);
    if (list?.object !== object || list.run !== run || !(await verifyChunks(server, list))) {
      throw new WrongBytes(`${object}: its list is not signed by this run's server`);
    }
    return list.hash;
  }

  /** The bytes under a path; undefined where the mirror says that it has none. */
  async #get(path: string, most: number, call: Call): Promise<Bytes | undefined> {
    const { fetch = globalThis.fetch, traffic } = this.#options;
    const watchdog = new Watchdog(call.signal, SLOW_MS);
    let counted = 0;
    let enough = MIN_BYTES;
    try {
      // No header of ours, so that a browser asks another site at once and not first whether it may.
      const response = await fetch(this.#url + path, { credentials: "omit", signal: watchdog.signal });
      if (!response.ok) {
        await response.body?.cancel();
        if (response.status === 404 || response.status === 403 || response.status === 410) return undefined;
        throw new Error(`HTTP ${response.status}`);
      }
      const total = Number(response.headers.get("content-length") ?? 0);
      return await readBody(response, most, (bytes) => {
        traffic?.(bytes - counted);
        counted = bytes;
        if (bytes >= enough) {
          enough = bytes + MIN_BYTES;
          watchdog.touch();
        }
        call.progress?.(bytes, Math.max(bytes, total));
      });
    } finally {
      watchdog.done();
    }
  }

  #leave(error: unknown): void {
    const lied = error instanceof WrongBytes;
    const why = messageOf(error);
    this.#askAgainAt = lied ? Number.POSITIVE_INFINITY : this.#options.clock() + REST_MS;
    const until = lied ? "it is not asked again" : `it is asked again in ${REST_MS / 60_000} minutes`;
    this.#options.say?.(`the mirror ${this.#url} is no help (${why}): ${until}`);
  }
}

/** Another site's bytes as a list, where they are one. */
function listIn(bytes: Bytes, most: number) {
  try {
    return parseChunks(asObject(parseJson(bytes).chunks, "chunks"), most);
  } catch {
    return undefined;
  }
}
