import type { ColumnMetaData, FileMetaData, PageHeader } from "hyparquet";
import { ByteWriter, parquetWriteBuffer } from "hyparquet-writer";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import type { ParquetBytes } from "../server/corpus/parquet-file.ts";

/** A Parquet file of whole columns, as its writer's library makes them. */
export const parquetOf = (
  columns: Record<string, readonly unknown[]>,
  options: Partial<Parameters<typeof parquetWriteBuffer>[0]> = {},
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.entries(columns).map(([name, data]) => ({ name, data: [...data] })),
      ...options,
    }),
  );

/** A page as its sender likes it: nothing in its header need be true. */
export interface RawPage {
  readonly header: Partial<PageHeader>;
  readonly bytes: Uint8Array;
}

/** A file of one text column in one row group of such pages. `said` and `more` take the place of what the footer would say. */
export function rawParquet(
  pages: readonly RawPage[],
  said: Partial<ColumnMetaData> = {},
  more: Partial<FileMetaData> = {},
): Uint8Array {
  const writer = new ByteWriter();
  writer.appendUint32(MARK);
  for (const { header, bytes } of pages) {
    const { length: compressed_page_size } = bytes;
    const sizes = { compressed_page_size, uncompressed_page_size: compressed_page_size };
    writePageHeader(writer, { type: "DATA_PAGE", ...sizes, ...header });
    writer.appendBytes(bytes);
  }
  const size = BigInt(writer.offset - 4);
  const rows = pages.reduce((sum, { header: { data_page_header: v1 } }) => sum + (v1?.num_values ?? 0), 0);
  const meta_data: ColumnMetaData = {
    ...{ type: "BYTE_ARRAY", encodings: ["PLAIN"], path_in_schema: ["text"], codec: "UNCOMPRESSED" },
    ...{ num_values: BigInt(rows), total_uncompressed_size: size, total_compressed_size: size },
    data_page_offset: 4n,
    ...said,
  };
  const begin = writer.offset;
  writeMetadata(writer, {
    version: 2,
    schema: [
      { name: "root", num_children: 1 },
      { name: "text", type: "BYTE_ARRAY", repetition_type: "REQUIRED", converted_type: "UTF8" },
    ],
    num_rows: BigInt(rows),
    row_groups: [
      { columns: [{ file_offset: 4n, meta_data }], total_byte_size: size, num_rows: BigInt(rows) },
    ],
    metadata_length: 0,
    ...more,
  });
  writer.appendUint32(writer.offset - begin);
  writer.appendUint32(MARK);
  return writer.getBytes();
}

/** "PAR1". */
const MARK = 0x31524150;

/** A plain page of texts. */
export function plainPage(texts: readonly string[], header: Partial<PageHeader> = {}): RawPage {
  const parts = texts.map((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  const data_page_header = {
    num_values: texts.length,
    encoding: "PLAIN" as const,
    definition_level_encoding: "RLE" as const,
    repetition_level_encoding: "RLE" as const,
  };
  return { header: { data_page_header, ...header }, bytes: new Uint8Array(Buffer.concat(parts)) };
}

export const parquetBytes = (all: Uint8Array): ParquetBytes => ({
  size: all.length,
  read(offset, length) {
    if (offset < 0 || length < 0 || offset + length > all.length) throw new Error("read outside the file");
    return all.slice(offset, offset + length);
  },
});
