import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collect, failure, temporary } from "../../test/corpus-fixture.ts";
import { parquetOf, plainPage, rawParquet } from "../../test/parquet-fixture.ts";
import type { CorpusError } from "./error.ts";
import { type ParquetReading, readParquetTexts } from "./parquet.ts";

async function read(bytes: Uint8Array, options: Partial<ParquetReading> = {}) {
  await using dir = await temporary();
  const file = join(dir.path, "a.parquet");
  await writeFile(file, bytes);
  let counted = 0;
  const onBytes = (more: number) => {
    counted += more;
  };
  const reading = { file, name: "a.parquet", column: "text", size: bytes.length, onBytes, ...options };
  const texts = await collect(readParquetTexts(reading));
  return { texts, counted };
}

/** A definition level of 1 that is said to come 500 million times, for a page of one row. */
const fillingHeap = rawParquet(
  [{ header: plainPage(["a"]).header, bytes: Uint8Array.of(6, 0, 0, 0, 0x80, 0x94, 0xeb, 0xdc, 0x03, 1) }],
  {},
  {
    schema: [
      { name: "root", num_children: 1 },
      { name: "text", type: "BYTE_ARRAY", repetition_type: "OPTIONAL", converted_type: "UTF8" },
    ],
  },
);

/** Snappy with a literal of -5 bytes, after which comes the same literal. */
const goingInCircles = rawParquet(
  [
    {
      header: { ...plainPage(["a"]).header, uncompressed_page_size: 9 },
      bytes: Uint8Array.of(9, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0),
    },
  ],
  { codec: "SNAPPY" },
);

describe("readParquetTexts", () => {
  const lines = ["one\nline", '"two"', "", "é 🙂"];

  it("reads texts in a process of its own, and counts the file's bytes", async () => {
    const file = parquetOf({ text: lines });
    expect(await read(file)).toEqual({ texts: lines, counted: file.length });
  });

  it("leaves out rows that have none where that is asked; control: otherwise the first of them is refused", async () => {
    const file = parquetOf({ text: ["a", null, "b"] });
    const left: string[] = [];
    const onBadRow = ({ message }: CorpusError) => left.push(message);
    expect((await read(file, { onBadRow })).texts).toEqual(["a", "b"]);
    expect(left).toEqual(['a.parquet, row 2: "text" is null, not text']);
    expect(await failure(read(file))).toEqual({ code: "unknown-field", message: left[0] });
  });

  it("refuses what is not UTF-8, a file that cannot be opened, and texts that together are too large", async () => {
    const bytes = rawParquet([{ ...plainPage(["a"]), bytes: Uint8Array.of(1, 0, 0, 0, 0xff) }]);
    // A dictionary of one entry: a few bytes become as many as there are rows.
    const bomb = parquetOf({ text: Array.from({ length: 5_000 }, () => "x".repeat(500)) });
    expect(bomb.length).toBeLessThan(5_000);
    const refused = await Promise.all([
      failure(read(bytes)),
      failure(read(bytes, { file: "/nowhere" })),
      failure(read(bomb, { limit: 100_000 })),
    ]);
    expect(refused.map(({ code }) => code)).toEqual(["not-utf8", "unreadable", "too-large"]);
    expect(refused[0]?.message).toBe('a.parquet, row 1: "text" is not UTF-8');
  });

  it("outlives a file that fills the heap, and one that goes in circles: both are refused in time", async () => {
    const [full, round] = await Promise.all([
      failure(read(fillingHeap, { heapMib: 40 })),
      failure(read(goingInCircles, { maxThoughtMs: 700 })),
    ]);
    expect(full).toEqual({
      code: "bad-parquet",
      message: "a.parquet cannot be read: its reading takes too much memory, or the machine has too little",
    });
    expect(round.message).toBe("a.parquet cannot be read: its reading takes too long");
  });
});
