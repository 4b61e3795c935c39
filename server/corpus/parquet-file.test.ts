import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { parquetRead } from "hyparquet";
import { describe, expect, it } from "vitest";
import { collect, failure, stream } from "../../test/corpus-fixture.ts";
import { parquetBytes, parquetOf, plainPage, rawParquet } from "../../test/parquet-fixture.ts";
import { CorpusError } from "./error.ts";
import { readParquet } from "./parquet-file.ts";

function read(file: Uint8Array, column = "text"): (string | null)[] {
  const rows: (string | null)[] = [];
  for (const { row, texts } of readParquet(parquetBytes(file), "a.parquet", column)) {
    expect(row).toBe(rows.length);
    for (const text of texts) rows.push(text && new TextDecoder().decode(text));
  }
  return rows;
}

const refusal = (file: Uint8Array, column?: string) =>
  failure(collect(stream(null)).then(() => read(file, column)));

const v1 = (
  page: Partial<{ num_values: number; encoding: "PLAIN" | "DELTA_BYTE_ARRAY" | "RLE_DICTIONARY" }>,
) => ({
  data_page_header: {
    ...{ num_values: 1, encoding: "PLAIN" as const },
    ...{ definition_level_encoding: "RLE" as const, repetition_level_encoding: "RLE" as const },
    ...page,
  },
});
const HUGE = 2_000_000_000;
const texts = Array.from({ length: 3_000 }, (_, i) => `${i % 7 === 0 ? "é" : "row"} ${i % 50} of many`);

describe("readParquet", () => {
  it.each(["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"] as const)("reads texts packed with %s", (codec) => {
    const compressors = { GZIP: gzipSync, ZSTD: zstdCompressSync };
    const file = parquetOf(
      { id: texts.map((_, i) => i), text: texts },
      { codec, compressors, pageSize: 4_096 },
    );
    expect(read(file)).toEqual(texts);
  });

  it("reads dictionaries, lengths as deltas, and rows without a text, in several row groups", () => {
    const some = texts.map((text, i) => (i % 3 === 0 ? null : text));
    expect(read(parquetOf({ text: some }, { rowGroupSize: 700 }))).toEqual(some);
    const column = { name: "text", data: texts, encoding: "DELTA_LENGTH_BYTE_ARRAY" as const };
    expect(read(parquetOf({}, { columnData: [column] }))).toEqual(texts);
    expect(
      read(
        parquetOf(
          { text: [null, null] as (string | null)[] },
          { columnData: [{ name: "text", data: [null, null], type: "STRING" }] },
        ),
      ),
    ).toEqual([null, null]);
    expect(read(parquetOf({ body: ["a"], text: ["b"] }), "body")).toEqual(["a"]);
  });

  it("has no more than a page and its dictionary in memory", () => {
    const file = parquetOf(
      { text: texts.map((text) => text.repeat(20)) },
      { pageSize: 8_192, codec: "UNCOMPRESSED", dictionarySize: 1 },
    );
    let most = 0;
    const bytes = parquetBytes(file);
    const read = (offset: number, length: number) => {
      most = Math.max(most, length);
      return bytes.read(offset, length);
    };
    const pages = [...readParquet({ size: bytes.size, read }, "a.parquet", "text")];
    expect(pages.length).toBeGreaterThan(50);
    expect(most).toBeLessThan(file.length / 20);
  });
});

describe("a Parquet file that lies is refused", () => {
  const good = parquetOf({ text: ["hello", "world"], id: [1, 2] });
  const withFooterOf = (length: number) => {
    const file = good.slice();
    new DataView(file.buffer).setUint32(file.length - 8, length, true);
    return file;
  };

  it.each<[string, Uint8Array, string, RegExp, string?]>([
    ["that is empty", new Uint8Array(0), "bad-parquet", /too short/],
    ["that is something else", new Uint8Array(100).fill(65), "bad-parquet", /is no Parquet file/],
    ["that is cut short", good.slice(0, -20), "bad-parquet", /its end is missing/],
    ["that is encrypted", Buffer.concat([good.slice(0, -1), Buffer.from("E")]), "bad-parquet", /encrypted/],
    ["whose footer is longer than it", withFooterOf(good.length), "bad-parquet", /says its footer has/],
    ["whose footer has 4 GiB", withFooterOf(0xffffffff), "bad-parquet", /says its footer has 4294967295/],
    ["whose footer is no footer", withFooterOf(9), "bad-parquet", /the footer cannot be read|schema cannot/],
    ["without the column", good, "unknown-field", /has no column "body" \(it has: text, id\)/, "body"],
    ["whose column is numbers", good, "unknown-field", /the column "id" is INT32, not text/, "id"],
    ["whose column is objects", parquetOf({ text: [["a"], ["b"]] }), "unknown-field", /is JSON, not text/],
    [
      "packed with LZ4",
      rawParquet([plainPage(["a"])], { codec: "LZ4_RAW" }),
      "unknown-codec",
      /packed with LZ4_RAW/,
    ],
    [
      "that begins before it",
      rawParquet([plainPage(["a"])], { data_page_offset: -5n }),
      "bad-parquet",
      /outside the file/,
    ],
    [
      "whose column is longer than it",
      rawParquet([plainPage(["a"])], { total_compressed_size: 1n << 40n }),
      "bad-parquet",
      /outside the file/,
    ],
    [
      "whose column is cut short",
      rawParquet([plainPage(["a"])], { total_compressed_size: 3n }),
      "bad-parquet",
      /page's header cannot be read/,
    ],
    [
      "whose page has 2 GB",
      rawParquet([plainPage(["a"], { compressed_page_size: HUGE })]),
      "bad-parquet",
      /a page says it has 2000000000 bytes/,
    ],
    [
      "whose page has less than nothing",
      rawParquet([plainPage(["a"], { compressed_page_size: -9 })]),
      "bad-parquet",
      /a page says it has -9 bytes/,
    ],
    [
      "whose page unpacks to 2 GB",
      rawParquet([plainPage(["a"], { uncompressed_page_size: HUGE })], { codec: "SNAPPY" }),
      "bad-parquet",
      /5 bytes says it unpacks to 2000000000/,
    ],
    [
      "whose page unpacks to something else",
      rawParquet([plainPage(["a"], { uncompressed_page_size: 50 })], { codec: "ZSTD" }),
      "bad-parquet",
      /the page cannot be read/,
    ],
    [
      "whose page has too many rows",
      rawParquet([plainPage(["a"], v1({ num_values: HUGE }))]),
      "bad-parquet",
      /says it has 2000000000 rows/,
    ],
    [
      "whose dictionary has more than fits",
      rawParquet([
        {
          header: {
            type: "DICTIONARY_PAGE",
            dictionary_page_header: { num_values: HUGE, encoding: "PLAIN" },
          },
          bytes: new Uint8Array(4),
        },
      ]),
      "bad-parquet",
      /no dictionary/,
    ],
    [
      "whose dictionary is missing",
      rawParquet([{ header: v1({ encoding: "RLE_DICTIONARY" }), bytes: Uint8Array.of(1, 2, 1) }]),
      "bad-parquet",
      /the page cannot be read/,
    ],
    [
      "of another encoding",
      rawParquet([plainPage(["a"], v1({ encoding: "DELTA_BYTE_ARRAY" }))]),
      "unknown-codec",
      /encoded as DELTA_BYTE_ARRAY/,
    ],
    [
      "whose levels have less than nothing",
      rawParquet(
        [
          {
            header: {
              type: "DATA_PAGE_V2",
              data_page_header_v2: {
                num_values: 1,
                num_nulls: 0,
                num_rows: 1,
                encoding: "PLAIN",
                definition_levels_byte_length: -HUGE,
                repetition_levels_byte_length: 0,
                is_compressed: true,
              },
            },
            bytes: new Uint8Array(9),
          },
        ],
        { codec: "SNAPPY" },
      ),
      "bad-parquet",
      /makes no sense/,
    ],
  ])("%s", async (_, file, code, message, column) => {
    const refused = await refusal(file, column);
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(message);
    expect(refused.message).not.toContain("\n");
  });

  it("control: hyparquet alone has room made for 2 GB of a file of 200 bytes", async () => {
    const file = rawParquet([plainPage(["a"], { uncompressed_page_size: HUGE })], { codec: "ZSTD" });
    expect(file.length).toBeLessThan(200);
    let asked = 0;
    const ZSTD = (input: Uint8Array, bytes: number) => {
      asked = bytes;
      return input;
    };
    const { buffer } = file.slice();
    const reading = parquetRead({ file: buffer, compressors: { ZSTD }, onComplete: () => {} });
    await expect(reading).rejects.toThrow(/does not match header/);
    expect(asked).toBe(HUGE);
  });

  // Always the same changes: others might lead hyparquet into a loop, which parquet.test.ts is about.
  it("with a few bytes changed, or is read", () => {
    const base = parquetOf({ text: texts.slice(0, 200) }, { pageSize: 512, rowGroupSize: 90 });
    const change = fc.tuple(fc.nat(base.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const file = base.slice();
        for (const [at, value] of changes) file[at] = value;
        try {
          read(file);
        } catch (error) {
          expect(error).toBeInstanceOf(CorpusError);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});
