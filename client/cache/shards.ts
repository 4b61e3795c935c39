import { toTokens } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import { type Hash, isHash } from "../../protocol/ids.ts";
import type { Cache } from "./cache.ts";
import { fieldsOf, isCount, KEYS } from "./entries.ts";

/**
 * Bytes of shards kept, the least recently used given up first. A run's ranges go round its whole text: a corpus that
 * is slightly larger than this would never be found in the cache.
 */
const KEPT_BYTES = 16 * 1024 * 1024;

interface Kept {
  readonly hash: Hash;
  readonly bytes: number;
}

/**
 * A shard's tokens, from the cache or through `fetch`. `fetch` must return bytes of that hash; cached bytes
 * are checked against it again, since a disk may have lost some.
 */
export async function shardOf(
  cache: Cache,
  hash: Hash,
  fetch: () => Promise<Uint8Array<ArrayBuffer>>,
  most = KEPT_BYTES,
): Promise<Uint16Array<ArrayBuffer>> {
  const kept = await keptShards(cache);
  const others = kept.filter((other) => other.hash !== hash);
  const cached = await cache.get(KEYS.shard(hash));
  if (cached instanceof Uint8Array && (await sha256(cached.slice())) === hash) {
    if (kept[0]?.hash !== hash)
      await cache.write({ [KEYS.shards]: [{ hash, bytes: cached.length }, ...others] });
    return toTokens(cached);
  }
  const bytes = await fetch();
  const fitting = [{ hash, bytes: bytes.length }];
  const changes: Record<string, unknown> = { [KEYS.shard(hash)]: bytes, [KEYS.shards]: fitting };
  let total = bytes.length;
  for (const other of others) {
    total += other.bytes;
    if (total <= most) fitting.push(other);
    else changes[KEYS.shard(other.hash)] = undefined;
  }
  await cache.write(changes);
  return toTokens(bytes);
}

/** The cached shards, the most recently used first. */
async function keptShards(cache: Cache): Promise<Kept[]> {
  const kept = await cache.get(KEYS.shards);
  if (!Array.isArray(kept)) return [];
  return kept.flatMap((one) => {
    const { hash, bytes } = fieldsOf(one);
    return isHash(hash) && isCount(bytes) ? [{ hash, bytes }] : [];
  });
}
