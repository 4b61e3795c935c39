import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { systemCode } from "../../model/lib/system-code.ts";
import { decodeText } from "./decode.ts";
import { CorpusError } from "./error.ts";
import { gunzip } from "./gunzip.ts";
import { textOfLine } from "./json-line.ts";

/**
 * What stands between two documents: an empty line, as between paragraphs. A special token would cost a row
 * of the vocabulary and its own rules in every decoder; an empty line is text like any other.
 */
const DOCUMENT_BREAK = "\n\n";

/** Characters of the longest line of JSON: a line is parsed whole, so it must fit in memory. */
const MAX_LINE = 64 * 1024 * 1024;

/** One place that text comes from. */
export interface Source {
  /** The file's name without its folders, or `stdin`. */
  readonly name: string;
  /** Plain text, or one JSON object a line. */
  readonly kind: "text" | "jsonl";
  readonly gzip: boolean;
  /** Bytes in the file; undefined for a stream. */
  readonly size: number | undefined;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/**
 * The source behind a file name: .txt, .md, .jsonl, each also with .gz, or `-` for `stdin`, which is plain
 * text, or JSON lines when `stdinKind` says so. Throws `unknown-type`, `no-such-file`, `unreadable`.
 */
export async function findSource(
  file: string,
  stdin: AsyncIterable<Uint8Array>,
  stdinKind: Source["kind"],
): Promise<Source> {
  if (file === "-") {
    return { name: "stdin", kind: stdinKind, gzip: false, size: undefined, open: () => stdin };
  }
  const type = /\.(txt|md|jsonl)(\.gz)?$/i.exec(file);
  if (type === null) {
    throw new CorpusError("unknown-type", `${file}: only .txt, .md and .jsonl are read, each also as .gz`);
  }
  const found = await stat(file).catch((error: unknown) => {
    throw readError(error, file);
  });
  if (found.isDirectory()) throw new CorpusError("unreadable", `${file} is a directory`);
  return {
    name: basename(file),
    kind: type[1]?.toLowerCase() === "jsonl" ? "jsonl" : "text",
    gzip: type[2] !== undefined,
    size: found.size,
    open: () => readFile(file),
  };
}

/**
 * The text of sources one after another, in pieces, with {@link DOCUMENT_BREAK} between documents. No more
 * than one piece (or one line of JSON) is in memory. `onBytes` hears how many bytes came from each source,
 * before unpacking; `onBadLine` hears of each line of JSON that is left out, and without it such a line is thrown.
 * `limitOf` says how many bytes a packed source may become. Throws `not-utf8`, `bad-gzip`, `too-large`, `bad-json`, `unknown-field`, `unreadable`.
 */
export async function* readText(
  sources: readonly Source[],
  field: string,
  onBytes: (source: number, bytes: number) => void,
  onBadLine?: (error: CorpusError) => void,
  limitOf: (source: Source) => number = () => Number.POSITIVE_INFINITY,
): AsyncGenerator<string, void, undefined> {
  let started = false;
  for (const [i, source] of sources.entries()) {
    const raw = count(source.open(), (bytes) => onBytes(i, bytes));
    const text = decodeText(source.gzip ? gunzip(raw, source.name, limitOf(source)) : raw, source.name);
    const documents = source.kind === "jsonl" ? jsonTexts(text, field, source.name, onBadLine) : text;
    let fresh = true; // the next piece begins a document
    for await (const piece of documents) {
      if (piece === "") continue;
      if (fresh && started) yield DOCUMENT_BREAK;
      yield piece;
      started = true;
      fresh = source.kind === "jsonl";
    }
  }
}

/** The text field of each line, whole. Lone surrogates (JSON can spell them, UTF-8 cannot) become U+FFFD. */
async function* jsonTexts(
  text: AsyncIterable<string>,
  field: string,
  name: string,
  onBadLine: ((error: CorpusError) => void) | undefined,
): AsyncGenerator<string> {
  let number = 0;
  for await (const line of lines(text, name)) {
    number += 1;
    if (line.trim() === "") continue;
    const found = textOfLine(line, field, `${name}, line ${number}`, number === 1);
    if (typeof found === "string") yield found.toWellFormed();
    else if (onBadLine !== undefined) onBadLine(found);
    else throw found;
  }
}

async function* lines(text: AsyncIterable<string>, name: string): AsyncGenerator<string> {
  let parts: string[] = []; // of the line so far: joined once, so that a long line costs no quadratic time
  let length = 0;
  for await (const piece of text) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      parts.push(piece.slice(from, end));
      yield parts.join("");
      parts = [];
      length = 0;
      from = end + 1;
    }
    if (from < piece.length) parts.push(piece.slice(from));
    length += piece.length - from;
    if (length > MAX_LINE)
      throw new CorpusError("bad-json", `${name} has a line of over ${MAX_LINE} characters`);
  }
  if (parts.length > 0) yield parts.join("");
}

async function* count(chunks: AsyncIterable<Uint8Array>, onBytes: (bytes: number) => void) {
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    yield chunk;
  }
}

async function* readFile(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file, { highWaterMark: 256 * 1024 });
  } catch (error) {
    throw readError(error, file);
  }
}

function readError(error: unknown, file: string): unknown {
  const code = systemCode(error);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new CorpusError("no-such-file", `${file}: no such file`);
  return code === undefined ? error : new CorpusError("unreadable", `${file} cannot be read (${code})`);
}
