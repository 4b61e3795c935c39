/** How a file's bytes spell characters. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "utf-32le" | "utf-32be";

/** Bytes of a text's beginning that {@link detectEncoding} looks at. */
export const DETECTION_BYTES = 4_096;

/** Byte order marks (Unicode 16, section 23.8); the longer first, since UTF-32's begins with UTF-16's. */
const MARKS: readonly (readonly [Encoding, readonly number[]])[] = [
  ["utf-32le", [0xff, 0xfe, 0, 0]],
  ["utf-32be", [0, 0, 0xfe, 0xff]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
  ["utf-8", [0xef, 0xbb, 0xbf]],
];

/** No text has these: controls (but white space, backspace and escape), half pairs, what Unicode never assigned. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const NEVER_TEXT = /[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f\ufffd\p{Cs}\p{Cn}\p{Co}]/u;
/** The commonest characters between words and sentences. */
const SEPARATOR = /[ \n\u3000-\u3002\uff0c]/g;
/** Characters to one separator, at most, in text whose encoding no mark says: far above any language's. */
const MAX_BETWEEN_SEPARATORS = 200;

/**
 * The encoding of a text by its first bytes: by its mark, else UTF-8 where they are text in it, else what they are
 * text in. Without a mark, letters of UTF-16 are ASCII with zeros or controls between them, so that UTF-8 alone
 * would take them. What is text in nothing we know counts as UTF-8, whose decoder then says where it is none.
 */
export function detectEncoding(bytes: Uint8Array): Encoding {
  for (const [encoding, mark] of MARKS) {
    if (mark.every((byte, i) => bytes[i] === byte)) return encoding;
  }
  const head = bytes.subarray(0, DETECTION_BYTES);
  // A character that the head's end cuts is no fault.
  if (!NEVER_TEXT.test(new TextDecoder("utf-8").decode(head, { stream: true }))) return "utf-8";
  for (const encoding of ["utf-32le", "utf-32be", "utf-16le", "utf-16be"] as const) {
    const text = decodeHead(head, encoding);
    const separators = text.match(SEPARATOR)?.length ?? 0;
    if (separators === 0 || separators * MAX_BETWEEN_SEPARATORS < text.length) continue;
    if (!NEVER_TEXT.test(text)) return encoding;
  }
  return "utf-8";
}

function decodeHead(head: Uint8Array, encoding: Exclude<Encoding, "utf-8">): string {
  if (encoding === "utf-16le" || encoding === "utf-16be") {
    return new TextDecoder(encoding).decode(head, { stream: true });
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength & ~3);
  let text = "";
  for (let at = 0; at < view.byteLength; at += 4) {
    const code = view.getUint32(at, encoding === "utf-32le");
    text += code <= 0x10_ffff ? String.fromCodePoint(code) : "\ufffd";
  }
  return text;
}

/** Part of the non-ASCII bytes with ASCII on both sides from which an alphabet of Western Europe is likely. */
const LONE_SHARE = 0.7;

/** Advice on bytes that are not UTF-8: the encoding they look like, and how to convert them. */
export function guessEncoding(bytes: Uint8Array): string {
  let high = 0;
  let lone = 0;
  const isHigh = (byte: number | undefined) => byte !== undefined && byte >= 0x80;
  for (let at = 0; at < bytes.length; at++) {
    if (!isHigh(bytes[at])) continue;
    high += 1;
    if (!isHigh(bytes[at - 1]) && !isHigh(bytes[at + 1])) lone += 1;
  }
  return lone >= LONE_SHARE * high
    ? 'It looks like Latin-1 or Windows-1252: try "iconv -f WINDOWS-1252 -t UTF-8"'
    : 'It may be in an older encoding, such as GB18030, Shift_JIS or Windows-1251: "iconv -f NAME -t UTF-8" makes it UTF-8';
}
