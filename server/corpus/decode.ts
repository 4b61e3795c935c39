import { concat } from "../../protocol/bytes.ts";
import { DETECTION_BYTES, detectEncoding } from "../lib/encoding.ts";
import { CorpusError } from "./error.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * Decodes a byte stream strictly: UTF-8, or UTF-16 with and without its mark; the mark is dropped. Throws
 * `not-utf8`, naming `source`, what it is, and where it breaks.
 */
export async function* decodeText(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
): AsyncGenerator<string, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    let head = new Uint8Array(0);
    while (head.length < DETECTION_BYTES) {
      const next = await iterator.next();
      if (next.done) break;
      head = concat(head, next.value);
    }
    const encoding = detectEncoding(head);
    const all = resume(head, iterator);
    if (encoding === "utf-8") yield* decodeUtf8(all, source);
    else if (encoding === "utf-16le" || encoding === "utf-16be") yield* decodeUtf16(all, encoding, source);
    else throw new CorpusError("not-utf8", utf32Line(encoding, source));
  } finally {
    await iterator.return?.();
  }
}

/** The message for the one encoding that is recognised but not supported. */
export function utf32Line(encoding: "utf-32le" | "utf-32be", source: string): string {
  const name = encoding.toUpperCase();
  return `${source} is ${name}, and only UTF-8 and UTF-16 are read: "iconv -f ${name} -t UTF-8" makes it UTF-8`;
}

async function* resume(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* decodeUtf16(
  chunks: AsyncIterable<Uint8Array>,
  encoding: "utf-16le" | "utf-16be",
  source: string,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let offset = 0;
  try {
    for await (const chunk of chunks) {
      const text = decoder.decode(chunk, { stream: true });
      offset += chunk.length;
      if (text !== "") yield text;
    }
    decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CorpusError(
      "not-utf8",
      `${source} begins as ${encoding.toUpperCase()} and is none after byte ${offset}: half a character stands there`,
    );
  }
}
