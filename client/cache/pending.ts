import { decodeUpload, type Upload } from "../../protocol/upload.ts";
import type { Cache } from "./cache.ts";
import { KEYS } from "./entries.ts";

/** The body of an upload that has no receipt yet: sent again, byte for byte, after a reload. */
export async function readPending(
  cache: Cache,
): Promise<(Upload & { body: Uint8Array<ArrayBuffer> }) | undefined> {
  const body = await cache.get(KEYS.pending);
  if (!isBytes(body)) return undefined;
  try {
    return { ...decodeUpload(body), body };
  } catch {
    return undefined;
  }
}

const isBytes = (value: unknown): value is Uint8Array<ArrayBuffer> =>
  Object.prototype.toString.call(value) === "[object Uint8Array]";
