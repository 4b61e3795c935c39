import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { systemCode } from "../../model/lib/system-code.ts";
import { decodeText } from "./decode.ts";
import { CorpusError } from "./error.ts";
import { gunzip } from "./gunzip.ts";
import { textOfLine } from "./json-line.ts";
import { linesOf } from "./lines.ts";
import { readParquetTexts } from "./parquet.ts";
import { TEXT_TYPE, TEXT_TYPES } from "./text-types.ts";

/**
 * What stands between two documents: an empty line, as between paragraphs. A special token would cost a row
 * of the vocabulary and its own rules in every decoder; an empty line is text like any other.
 */
const DOCUMENT_BREAK = "\n\n";

/** One place that text comes from. */
export type Source = StreamedSource | ParquetSource;

/** One that is read from its beginning to its end. */
export interface StreamedSource {
  /** The file's name without its folders, or `stdin`. */
  readonly name: string;
  /** Plain text, or one JSON object a line. */
  readonly kind: "text" | "jsonl";
  readonly gzip: boolean;
  /** Bytes in the file; undefined for a stream. */
  readonly size: number | undefined;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** One that begins with its end: a file. */
interface ParquetSource {
  readonly name: string;
  readonly kind: "parquet";
  readonly file: string;
  readonly size: number;
}

/**
 * The source behind a file name (text-types.ts), or `-` for `stdin`, which is plain text, or JSON lines when `stdinKind`
 * says so. Throws `unknown-type`, `no-such-file`, `unreadable`.
 */
export async function findSource(
  file: string,
  stdin: AsyncIterable<Uint8Array>,
  stdinKind: StreamedSource["kind"],
): Promise<Source> {
  if (file === "-") {
    return { name: "stdin", kind: stdinKind, gzip: false, size: undefined, open: () => stdin };
  }
  const type = TEXT_TYPE.exec(file);
  if (type === null) throw new CorpusError("unknown-type", `${file}: ${TEXT_TYPES}`);
  const found = await stat(file).catch((error: unknown) => {
    throw readError(error, file);
  });
  if (found.isDirectory()) throw new CorpusError("unreadable", `${file} is a directory`);
  const { lines, gzip } = type.groups ?? {};
  const [name, { size }] = [basename(file), found];
  if (lines === undefined) return { name, kind: "parquet", file, size };
  return {
    ...{ name, size },
    kind: lines.toLowerCase() === "jsonl" ? "jsonl" : "text",
    gzip: gzip !== undefined,
    open: () => readFile(file),
  };
}

/**
 * The text of sources one after another, in pieces, with {@link DOCUMENT_BREAK} between documents. No more
 * than one piece (or one line of JSON) is in memory. `field` names the field of such a line, or the column of a
 * Parquet file. `onBytes` hears how many bytes came from each source, before unpacking; `onBadLine` hears of each line (or
 * row) that is left out, and without it such a line is thrown. `limitOf` says how many bytes a packed source may become.
 * Throws `not-utf8`, `bad-gzip`, `bad-parquet`, `unknown-codec`, `too-large`, `bad-json`, `unknown-field`, `unreadable`.
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
    const reading = {
      field,
      limit: limitOf(source),
      onBytes: (bytes: number) => onBytes(i, bytes),
      onBadLine,
    };
    const documents = source.kind === "parquet" ? rowsOf(source, reading) : textOf(source, reading);
    let fresh = true; // the next piece begins a document
    for await (const piece of documents) {
      if (piece === "") continue;
      if (fresh && started) yield DOCUMENT_BREAK;
      yield piece;
      started = true;
      fresh = source.kind !== "text";
    }
  }
}

interface Reading {
  readonly field: string;
  readonly limit: number;
  readonly onBytes: (bytes: number) => void;
  readonly onBadLine: ((error: CorpusError) => void) | undefined;
}

/** A streamed source's text, in pieces, or the texts of its lines. */
function textOf(
  source: StreamedSource,
  { field, limit, onBytes, onBadLine }: Reading,
): AsyncIterable<string> {
  const raw = count(source.open(), onBytes);
  const text = decodeText(source.gzip ? gunzip(raw, source.name, limit) : raw, source.name);
  return source.kind === "jsonl" ? jsonTexts(text, field, source.name, onBadLine) : text;
}

const rowsOf = ({ file, name, size }: ParquetSource, { field, limit, onBytes, onBadLine }: Reading) =>
  readParquetTexts({ file, name, size, column: field, limit, onBytes, onBadRow: onBadLine });

/** The text field of each line, whole. Lone surrogates (JSON can spell them, UTF-8 cannot) become U+FFFD. */
async function* jsonTexts(
  text: AsyncIterable<string>,
  field: string,
  name: string,
  onBadLine: ((error: CorpusError) => void) | undefined,
): AsyncGenerator<string> {
  let number = 0;
  for await (const line of linesOf(text, name)) {
    number += 1;
    if (line.trim() === "") continue;
    const found = textOfLine(line, field, `${name}, line ${number}`, number === 1);
    if (typeof found === "string") yield found.toWellFormed();
    else if (onBadLine !== undefined) onBadLine(found);
    else throw found;
  }
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
