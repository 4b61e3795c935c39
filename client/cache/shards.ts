import { toTokens } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import { type Hash, isHash } from "../../protocol/ids.ts";
import type { Cache } from "./cache.ts";
import { KEYS } from "./entries.ts";

/** Shards kept, the least recently used given up first: 8 MiB at the largest shard. */
export const KEPT_SHARDS = 8;

/**
 * A shard's tokens, from the cache or through `fetch`. `fetch` must return bytes of that hash; cached bytes
 * are held against it again, since a disk may have forgotten some.
 */
export async function shardOf(
  cache: Cache,
  hash: Hash,
  fetch: () => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Uint16Array<ArrayBuffer>> {
  const kept = await keptShards(cache);
  const cached = await cache.get(KEYS.shard(hash));
  if (cached instanceof Uint8Array && (await sha256(cached.slice())) === hash) {
    if (kept[0] !== hash)
      await cache.write({ [KEYS.shards]: [hash, ...kept.filter((other) => other !== hash)] });
    return toTokens(cached);
  }
  const bytes = await fetch();
  const next = [hash, ...kept.filter((other) => other !== hash)];
  const dropped = next.slice(KEPT_SHARDS).map((old) => [KEYS.shard(old), undefined]);
  await cache.write({
    ...Object.fromEntries(dropped),
    [KEYS.shard(hash)]: bytes,
    [KEYS.shards]: next.slice(0, KEPT_SHARDS),
  });
  return toTokens(bytes);
}

/** Hashes of the cached shards, the most recently used first. */
async function keptShards(cache: Cache): Promise<Hash[]> {
  const kept = await cache.get(KEYS.shards);
  return Array.isArray(kept) ? kept.filter(isHash) : [];
}
