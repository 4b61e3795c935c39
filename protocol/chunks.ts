import { ProtocolError } from "./errors.ts";
import { as, asArray, asInteger, type Json } from "./guards.ts";
import { sha256, sign, verify } from "./identity.ts";
import {
  type Hash,
  isHash,
  isObjectName,
  isRunId,
  isSignature,
  type ObjectName,
  type RunId,
  type Signature,
  type VolunteerKey,
} from "./ids.ts";
import { MAX_OBJECT_BYTES } from "./limits.ts";

/**
 * The hashes of an object's chunks, signed by the server (rules K1 to K3): with it, bytes may come from anyone, in
 * any order and in part, and each chunk is checked before it is kept, served on or used.
 */
export interface ChunkTerms {
  readonly run: RunId;
  readonly object: ObjectName;
  /** SHA-256 of the whole object. */
  readonly hash: Hash;
  /** Bytes of the whole object. */
  readonly length: number;
  /** Bytes of every chunk but the last, which may be shorter. */
  readonly size: number;
  /** SHA-256 of each chunk, in order. */
  readonly chunks: readonly Hash[];
}

export interface ChunkList extends ChunkTerms {
  readonly signature: Signature;
}

/** Bounds of a chunk's size that a reader takes. */
const MIN_CHUNK_BYTES = 64 * 1024;
const MAX_CHUNK_BYTES = 256 * 1024;

/**
 * Bytes of a chunk of this server's. Of 64, 128 and 256 KiB the first costs the server least: 13, 21 and 28 copies to
 * 300 newcomers within a minute, with a median start of 8.0, 7.1 and 6.8 s (`npm run bench -- peers --sizes`).
 */
export const CHUNK_BYTES = 64 * 1024;

/** How many chunks an object of this many bytes has. */
export const chunksIn = (length: number, size: number): number => Math.ceil(length / size);

/** Bytes of one chunk. */
export function chunkLength({ length, size }: Pick<ChunkTerms, "length" | "size">, chunk: number): number {
  return Math.min(size, length - chunk * size);
}

async function hashChunks(bytes: Uint8Array<ArrayBuffer>, size: number) {
  const chunks: Hash[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(await sha256(bytes.subarray(at, at + size)));
  return { hash: await sha256(bytes), chunks };
}

/** Cuts and hashes an object, unless somebody has, and signs the list. */
export async function signChunks(
  privateKey: CryptoKey,
  what: Pick<ChunkTerms, "run" | "object">,
  bytes: Uint8Array<ArrayBuffer>,
  size = CHUNK_BYTES,
  hashed?: Pick<ChunkTerms, "hash" | "chunks">,
): Promise<ChunkList> {
  const { run, object } = what;
  const { hash, chunks } = hashed ?? (await hashChunks(bytes, size));
  const terms = { run, object, hash, length: bytes.length, size, chunks };
  return { ...terms, signature: await sign(privateKey, "chunks", terms) };
}

/** Whether the server that holds `key` signed this list, every field of it. */
export function verifyChunks(key: VolunteerKey, { signature, ...terms }: ChunkList): Promise<boolean> {
  return verify(key, "chunks", termsOf(terms), signature);
}

/**
 * Reads a list from JSON; unknown fields are dropped. Throws `bad-request`, and `too-large` for an object of more
 * than `most` bytes: what a reader allocates for the object is bounded before it allocates (rule P3).
 */
export function parseChunks(json: Json, most = MAX_OBJECT_BYTES): ChunkList {
  const object = as(isObjectName, json.object, "object");
  const hash = as(isHash, json.hash, "hash");
  const length = asInteger(json.length, "length", 1, Number.MAX_SAFE_INTEGER);
  if (length > most) throw new ProtocolError("too-large", `${object} has more than ${most} bytes`);
  const size = asInteger(json.size, "size", MIN_CHUNK_BYTES, MAX_CHUNK_BYTES);
  const count = chunksIn(length, size);
  const chunks = asArray(json.chunks, "chunks", count);
  asInteger(chunks.length, "chunks.length", count, count);
  const named = object.split("/")[1];
  if (!object.startsWith("diffs/") && named !== hash) {
    throw new ProtocolError("bad-request", `${object} cannot have the hash ${hash}`);
  }
  return {
    run: as(isRunId, json.run, "run"),
    object,
    hash,
    length,
    size,
    chunks: chunks.map((one, i) => as(isHash, one, `chunks[${i}]`)),
    signature: as(isSignature, json.signature, "signature"),
  };
}

/** The signed fields alone, whatever else the value carries. */
function termsOf({ run, object, hash, length, size, chunks }: ChunkTerms): ChunkTerms {
  return { run, object, hash, length, size, chunks };
}
