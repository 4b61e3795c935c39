import { maxFrameBytes } from "../../protocol/frame.ts";
import { diffName, type ObjectName, shardName, snapshotName } from "../../protocol/ids.ts";
import { MAX_SHARD_TOKENS, MAX_SNAPSHOT_HEADER } from "../../protocol/limits.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import type { Api, Call } from "../transport/api.ts";
import { WrongBytes } from "../transport/away.ts";
import type { PeerBridge } from "./bridge.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes below which peers are not worth asking: the list and the introduction cost as much. */
const MIN_BYTES = 256 * 1024;

/**
 * The same Api, with snapshots, diffs and shards by way of peers where there is a bridge to them, and as before where
 * there is none or it brings nothing. `bridge` may make its caller wait for one that is about to come; `heard` is called with
 * the bytes that came by it.
 */
export function sharedApi(
  api: Api,
  bridge: () => Promise<PeerBridge | undefined>,
  heard: (bytes: number) => void = () => {},
): Api {
  let manifest: Manifest | undefined;
  const shared = async (
    object: ObjectName,
    most: number,
    call: Call | undefined,
    direct: () => Promise<Bytes>,
  ) => {
    const peers = manifest?.peers === undefined || most < MIN_BYTES ? undefined : await bridge();
    if (peers === undefined || manifest === undefined) return direct();
    try {
      const bytes = await peers.bring(object, most, manifest, call ?? {});
      heard(bytes?.length ?? 0);
      return bytes ?? (await direct());
    } catch (error) {
      if (error instanceof WrongBytes) return direct();
      throw error;
    }
  };
  return {
    ...api,
    manifest: async (call) => {
      manifest = await api.manifest(call);
      return manifest;
    },
    snapshot: (hash, parameters, call) =>
      shared(snapshotName(hash), MAX_SNAPSHOT_HEADER + 4 * parameters, call, () =>
        api.snapshot(hash, parameters, call),
      ),
    diff: (version, parameters, call) =>
      shared(diffName(version), maxFrameBytes(parameters), call, () => api.diff(version, parameters, call)),
    shard: (hash, call) => shared(shardName(hash), 2 * MAX_SHARD_TOKENS, call, () => api.shard(hash, call)),
  };
}
