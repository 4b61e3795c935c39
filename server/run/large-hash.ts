import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { CHUNK_BYTES, type ChunkTerms } from "../../protocol/chunks.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { sha256Now } from "../lib/signatures.ts";

/** Takes about a millisecond. */
const PIECE_BYTES = 1024 * 1024;

/** A large file's hash, piece by piece between other work. WebCrypto copies what it hashes, and whole at once. */
export async function hashInPieces(bytes: Uint8Array<ArrayBuffer>): Promise<Hash> {
  if (bytes.length <= PIECE_BYTES) return sha256(bytes);
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    hash.update(bytes.subarray(at, at + PIECE_BYTES));
    await setImmediate();
  }
  return hash.digest("hex") as Hash;
}

/** The hashes of an object's chunks, likewise; and its own, unless it is known. */
export async function chunksInPieces(
  bytes: Uint8Array<ArrayBuffer>,
  known?: Hash,
): Promise<Pick<ChunkTerms, "hash" | "chunks">> {
  const chunks: Hash[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    if (at > 0 && at % PIECE_BYTES === 0) await setImmediate();
    chunks.push(sha256Now(bytes.subarray(at, at + CHUNK_BYTES)));
  }
  return { hash: known ?? (await hashInPieces(bytes)), chunks };
}
