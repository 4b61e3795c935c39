import { concat } from "../../protocol/bytes.ts";
import { guessEncoding } from "../lib/encoding.ts";
import { CorpusError } from "./error.ts";

/**
 * Decodes a byte stream strictly. A byte order mark at the start is dropped. Throws `not-utf8` naming `source`
 * and the offset of the first byte that begins no character.
 */
export async function* decodeUtf8(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let offset = 0; // of the first byte not yet known to be good
  let tail = new Uint8Array(0); // an unfinished character from the chunk before
  for await (const chunk of chunks) {
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch {
      const bytes = concat(tail, chunk);
      const good = goodPrefix(bytes);
      throw notUtf8(source, offset + good, bytes.subarray(good));
    }
    offset += tail.length + chunk.length;
    tail = unfinished(chunk.length < 3 ? concat(tail, chunk) : chunk).slice();
    offset -= tail.length;
    if (text !== "") yield text;
  }
  try {
    decoder.decode();
  } catch {
    throw notUtf8(source, offset, tail);
  }
}

/**
 * Where a further piece of a text that is UTF-8 so far stops being it: the offset in `piece` of the first byte that
 * begins no character (below 0: one of the text before), or undefined. `before` is the text's last bytes, three or more
 * where it has them. An unfinished character at the end is no fault, unless it is `last`.
 */
export function firstBadByte(before: Uint8Array, piece: Uint8Array, last: boolean): number | undefined {
  const tail = unfinished(before);
  const bytes = concat(tail, piece);
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !last });
    return undefined;
  } catch {
    return goodPrefix(bytes) - tail.length;
  }
}

const notUtf8 = (source: string, offset: number, bytes: Uint8Array) =>
  new CorpusError("not-utf8", notUtf8Line(source, offset, bytes));

/** The message for a text that is not UTF-8; `bytes` are the text's from `offset` on. */
export const notUtf8Line = (source: string, offset: number, bytes: Uint8Array): string =>
  `${source} is not UTF-8: byte ${offset} begins no character. ${guessEncoding(bytes)}`;

/** Bytes that a UTF-8 character's first byte announces; 0 for one that cannot be first. */
function announced(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc2 || byte > 0xf4) return 0;
  return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/** The unfinished character at the end of bytes that are otherwise valid. */
function unfinished(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const length = announced(bytes[bytes.length - back]!);
    if (length > 0) return bytes.subarray(length > back ? bytes.length - back : bytes.length);
  }
  return bytes.subarray(bytes.length);
}

/** How many bytes form whole characters before the first that does not. */
function goodPrefix(bytes: Uint8Array): number {
  const strict = new TextDecoder("utf-8", { fatal: true });
  let at = 0;
  while (at < bytes.length) {
    const length = announced(bytes[at]!);
    if (length === 0 || at + length > bytes.length) break;
    try {
      if (length > 1) strict.decode(bytes.subarray(at, at + length));
    } catch {
      break;
    }
    at += length;
  }
  return at;
}
