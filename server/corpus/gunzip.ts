import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { systemCode } from "../../model/lib/system-code.ts";
import { CorpusError } from "./error.ts";

/** Bytes of text that any packed file may become. */
const FREE_BYTES = 16 * 1024 * 1024;
/** Bytes of text for each packed byte beyond that. Prose packs to a third, logs to a twentieth; a bomb to a thousandth. */
const MAX_RATIO = 100;

/** Bytes that an uploaded file of `packed` bytes may become, where a text may have `most`. */
export const unpackedLimit = (packed: number, most: number): number =>
  Math.min(most, FREE_BYTES + MAX_RATIO * packed);

/**
 * Unpacks gzip, piece by piece, and no further than `limit` bytes: a packed file's size when unpacked is not known before, so
 * refusing one costs as much work as the limit lets it. Throws `bad-gzip` and `too-large`.
 */
export async function* gunzip(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  const unpacked = createGunzip();
  const failed = pipeline(chunks, unpacked).then(
    () => undefined,
    (error: unknown) => error, // the loop below meets the same error
  );
  let total = 0;
  try {
    for await (const piece of unpacked) {
      total += piece.length;
      if (total > limit) throw new CorpusError("too-large", `${name} unpacks to more than ${limit} bytes`);
      yield piece;
    }
  } catch (error) {
    if (error instanceof CorpusError) throw error;
    const cause = (await failed) ?? error;
    const code = systemCode(cause);
    if (code?.startsWith("Z_")) throw new CorpusError("bad-gzip", `${name} is not whole gzip data (${code})`);
    throw cause;
  }
}
