import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type ColumnMetaData,
  type Compressors,
  type DecodedArray,
  type FileMetaData,
  type PageHeader,
  parquetMetadata,
  parquetSchema,
  type SchemaTree,
} from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import {
  MAX_PARQUET_FOOTER_BYTES,
  MAX_PARQUET_HEADER_BYTES,
  MAX_PARQUET_PAGE_BYTES,
  MAX_PARQUET_PAGE_ROWS,
} from "../../protocol/limits.ts";
import { CorpusError } from "./error.ts";
import { unpackedLimit } from "./gunzip.ts";

/** Bytes of a file, wherever they lie. */
export interface ParquetBytes {
  readonly size: number;
  /** Exactly `length` bytes from `offset` on; the caller keeps within the file. */
  read(offset: number, length: number): Uint8Array;
}

/** Bytes of a header that are read at first: most have a hundred. */
const USUAL_HEADER_BYTES = 4_096;
/** Bytes before the first chunk, and those of the footer's length and mark at the end. */
const HEAD_BYTES = 4;
const TAIL_BYTES = 8;

/** Unpacks, and stops where it becomes more than the header says: that was checked. */
const COMPRESSORS: Compressors = {
  GZIP: (input, maxOutputLength) => gunzipSync(input, { maxOutputLength: maxOutputLength || 1 }),
  ZSTD: (input, maxOutputLength) => zstdDecompressSync(input, { maxOutputLength: maxOutputLength || 1 }),
  BROTLI: (input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength: maxOutputLength || 1 }),
};
const CODECS: ReadonlySet<string | undefined> = new Set([
  "UNCOMPRESSED",
  "SNAPPY",
  ...Object.keys(COMPRESSORS),
]);
/** Encodings whose size in memory follows from the page's bytes and its number of rows. */
const ENCODINGS: ReadonlySet<string | undefined> = new Set([
  ...["PLAIN", "PLAIN_DICTIONARY", "RLE_DICTIONARY"],
  "DELTA_LENGTH_BYTE_ARRAY",
]);

/** A part of one column: the texts of one page, in the order of the rows; null where a row has none. */
export interface ParquetPage {
  /** The first text's row, counted from 0. */
  readonly row: number;
  readonly texts: readonly (Uint8Array | null)[];
  /** Where in the file the page ends. */
  readonly end: number;
}

/**
 * A column's texts as bytes, page by page: never more than a page and its dictionary are in memory. The lengths that a
 * file says of itself are compared with its size and the bounds before hyparquet, which allocates on their word, sees
 * them. It can still be led into loops and full heaps: only parquet-process.ts calls this for a stranger's file.
 * Throws `bad-parquet`, `unknown-field` and `unknown-codec`.
 */
export function* readParquet(bytes: ParquetBytes, name: string, column: string): Generator<ParquetPage> {
  const end = footerBegin(bytes, name);
  const metadata = parsed(name, "footer", () =>
    parquetMetadata(bytes.read(end, bytes.size - end), { geoparquet: false }),
  );
  const schema = parsed(name, "schema", () => parquetSchema(metadata));
  const leaf = columnOf(schema, name, column);
  let row = 0;
  for (const [i, group] of metadata.row_groups.entries()) {
    const where = `${name}, row group ${i + 1}`;
    const chunk = chunkOf(group, column, where);
    const rows = Number(group.num_rows);
    let seen = 0;
    for (const page of pagesOf(bytes, { chunk, schemaPath: [schema, leaf], end, where })) {
      yield { row: row + seen, ...page };
      seen += page.texts.length;
    }
    if (seen !== rows) throw bad(`${where} has ${seen} rows of "${column}" in place of ${rows}`);
    row += rows;
  }
}

const bad = (message: string) => new CorpusError("bad-parquet", message);

/** Where the footer begins, which is where chunks end. */
function footerBegin(bytes: ParquetBytes, name: string): number {
  if (bytes.size < HEAD_BYTES + TAIL_BYTES) throw bad(`${name} is too short for a Parquet file`);
  const mark = (at: number) => Buffer.from(bytes.read(at, 4)).toString("latin1");
  const [head, tail] = [mark(0), mark(bytes.size - 4)];
  if (tail === "PARE") throw bad(`${name} is an encrypted Parquet file`);
  if (head !== "PAR1") throw bad(`${name} is no Parquet file`);
  if (tail !== "PAR1") throw bad(`${name} is not a whole Parquet file: its end is missing`);
  const length = Buffer.from(bytes.read(bytes.size - TAIL_BYTES, 4)).readUInt32LE();
  const most = Math.min(MAX_PARQUET_FOOTER_BYTES, bytes.size - HEAD_BYTES - TAIL_BYTES);
  if (length > most) throw bad(`${name} says its footer has ${length} bytes, and at most ${most} can be`);
  return bytes.size - TAIL_BYTES - length;
}

/** What hyparquet makes of bytes; whatever it throws on bad ones is one error. */
function parsed<T>(name: string, part: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CorpusError) throw error;
    throw bad(`${name}: the ${part} cannot be read`);
  }
}

function columnOf({ children }: SchemaTree, name: string, column: string): SchemaTree {
  const found = children.find(({ element }) => element.name === column);
  if (found === undefined) {
    const names = children.slice(0, 10).map(({ element }) => printable(element.name));
    throw new CorpusError("unknown-field", `${name} has no column "${column}" (it has: ${names.join(", ")})`);
  }
  const { type, converted_type, logical_type, repetition_type } = found.element;
  const kind = logical_type?.type ?? converted_type ?? type ?? "a group";
  const isText = type === "BYTE_ARRAY" && ["STRING", "UTF8", "BYTE_ARRAY"].includes(kind);
  if (!isText || found.children.length > 0 || repetition_type === "REPEATED") {
    const what = repetition_type === "REPEATED" ? "a list" : kind;
    throw new CorpusError("unknown-field", `${name}: the column "${column}" is ${what}, not text`);
  }
  return found;
}

const printable = (name: unknown): string => String(name).replace(/\p{C}/gu, "").slice(0, 80);

function chunkOf(
  { columns }: FileMetaData["row_groups"][number],
  column: string,
  where: string,
): ColumnMetaData {
  const found = columns?.find(({ meta_data }) => meta_data?.path_in_schema.join("\0") === column);
  if (found?.meta_data === undefined) throw bad(`${where} has no readable chunk of "${column}"`);
  if (found.file_path) throw bad(`${where} has its "${column}" in another file`);
  const { codec } = found.meta_data;
  if (!CODECS.has(codec)) {
    throw new CorpusError(
      "unknown-codec",
      `${where} is packed with ${codec ?? "an unknown codec"}, which is not read`,
    );
  }
  return found.meta_data;
}

interface Chunk {
  readonly chunk: ColumnMetaData;
  readonly schemaPath: readonly [SchemaTree, SchemaTree];
  /** Where chunks must end. */
  readonly end: number;
  readonly where: string;
}

function* pagesOf(
  bytes: ParquetBytes,
  { chunk, schemaPath, end, where }: Chunk,
): Generator<Omit<ParquetPage, "row">> {
  const data = Number(chunk.data_page_offset);
  // A writer without a dictionary may leave its offset out, or say 0.
  const begin = Math.min(Number(chunk.dictionary_page_offset) || data, data);
  const size = Number(chunk.total_compressed_size);
  if (!(begin >= HEAD_BYTES && size >= 0 && begin + size <= end)) throw bad(`${where} lies outside the file`);
  const decoder = {
    ...{
      pathInSchema: chunk.path_in_schema,
      schemaPath: [...schemaPath],
      type: chunk.type,
      codec: chunk.codec,
    },
    // Without its kind a text stays as bytes: decoded all at once, a page would fill the heap.
    element: plainOf(schemaPath[1]),
    ...{ parsers: DEFAULT_PARSERS, compressors: COMPRESSORS, utf8: false },
  };
  const chunkEnd = begin + size;
  let dictionary: DecodedArray | undefined;
  for (let at = begin; at < chunkEnd; ) {
    const { header, length } = headerAt(bytes, at, chunkEnd, where);
    at += length;
    requirePage(header, chunkEnd - at, where);
    const packed = bytes.read(at, header.compressed_page_size);
    at += header.compressed_page_size;
    const reader = { view: new DataView(packed.buffer, packed.byteOffset, packed.byteLength), offset: 0 };
    const { data: values = [] } = parsed(where, "page", () =>
      readPage(reader, header, decoder, dictionary, undefined, 0),
    );
    if (header.type === "DICTIONARY_PAGE") dictionary = values;
    else yield { texts: parsed(where, "page", () => textsOf(values, rowsOf(header))), end: at };
  }
}

const plainOf = ({ element: { type, name, repetition_type } }: SchemaTree) => ({
  name,
  ...(type !== undefined && { type }),
  ...(repetition_type !== undefined && { repetition_type }),
});

function textsOf(values: ArrayLike<unknown>, rows: number): (Uint8Array | null)[] {
  if (values.length !== rows) throw new Error("another number of rows");
  return Array.from(values, (value) => {
    if (value === null || value instanceof Uint8Array) return value;
    throw new Error("a row outside the dictionary");
  });
}

const rowsOf = ({ data_page_header: v1, data_page_header_v2: v2 }: PageHeader): number =>
  v1?.num_values ?? v2?.num_values ?? 0;

function headerAt(bytes: ParquetBytes, at: number, end: number, where: string) {
  const parse = (most: number) => {
    const head = bytes.read(at, Math.min(most, end - at));
    const reader = { view: new DataView(head.buffer, head.byteOffset, head.byteLength), offset: 0 };
    const header = parquetHeader(reader);
    return { header, length: reader.offset };
  };
  try {
    return parse(USUAL_HEADER_BYTES);
  } catch {
    return parsed(where, "page's header", () => parse(MAX_PARQUET_HEADER_BYTES));
  }
}

/** Checks all numbers of a page's header: by what is there, and by the bounds. */
function requirePage(header: PageHeader, rest: number, where: string): void {
  const { compressed_page_size: packed, uncompressed_page_size: size, type } = header;
  const isCount = (value: unknown, most: number) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;
  if (!isCount(packed, Math.min(rest, MAX_PARQUET_PAGE_BYTES))) {
    throw bad(`${where}: a page says it has ${packed} bytes, and ${rest} are left`);
  }
  const most = unpackedLimit(packed, MAX_PARQUET_PAGE_BYTES);
  if (!isCount(size, most)) throw bad(`${where}: a page of ${packed} bytes says it unpacks to ${size}`);
  const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header;
  if (type === "DICTIONARY_PAGE") {
    // Each entry has its length before it.
    if (!isCount(dictionary?.num_values, size / 4)) throw bad(`${where}: the dictionary is no dictionary`);
    return;
  }
  const data = type === "DATA_PAGE" ? v1 : type === "DATA_PAGE_V2" ? v2 : undefined;
  if (data === undefined) throw bad(`${where}: a page of the kind ${type} is not read`);
  if (!isCount(data.num_values, MAX_PARQUET_PAGE_ROWS)) {
    throw bad(
      `${where}: a page says it has ${data.num_values} rows, and at most ${MAX_PARQUET_PAGE_ROWS} are read`,
    );
  }
  if (!ENCODINGS.has(data.encoding)) {
    throw new CorpusError("unknown-codec", `${where} is encoded as ${data.encoding}, which is not read`);
  }
  if (type !== "DATA_PAGE_V2" || v2 === undefined) return;
  const {
    definition_levels_byte_length: levels,
    repetition_levels_byte_length: repeats,
    num_nulls: nulls,
  } = v2;
  const fits = isCount(levels, packed) && isCount(repeats, packed - levels) && levels + repeats <= size;
  if (!fits || !isCount(nulls, v2.num_values)) throw bad(`${where}: a page's header makes no sense`);
}
