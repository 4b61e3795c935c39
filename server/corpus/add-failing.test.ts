import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { add, type Change, text, tokenizerWith } from "../../test/add-corpus.ts";
import { failingDisk, failure, listing, stream, temporary } from "../../test/corpus-fixture.ts";
import type { Progress } from "./options.ts";
import { readCorpus } from "./shards.ts";

describe("addCorpus, failing", () => {
  const latin = Uint8Array.of(0x63, 0x61, 0x66, 0xe9);
  const cases: [name: string, code: string, change: Change | ((dir: string) => Promise<Change>)][] = [
    ["text that is not UTF-8", "not-utf8", { stdin: stream(utf8(text), latin) }],
    ["no text", "empty", { stdin: stream() }],
    ["nothing but white space", "empty", { stdin: stream(utf8(" \n\n\t \n")) }],
    [
      "text too short for a context",
      "too-short",
      { stdin: stream(utf8(text.slice(0, 300))), vocabulary: 256 },
    ],
    ["text short of one split's context", "too-short", { context: 20_000 }],
    [
      "a JSON line without the field",
      "unknown-field",
      { stdin: stream(utf8('{"a":"b"}')), stdinKind: "jsonl" },
    ],
    ["a line that is not JSON", "bad-json", { stdin: stream(utf8("hello")), stdinKind: "jsonl" }],
    ["a file that is not there", "no-such-file", { files: ["-", "none.txt"] }],
    ["a type nobody reads", "unknown-type", { files: ["-", "book.epub"] }],
    ["a vocabulary below the bytes", "bad-vocab", { vocabulary: 255 }],
    ["a vocabulary above 16 bits", "bad-vocab", { vocabulary: 65_537 }],
    ["a vocabulary the text has no pairs for", "bad-vocab", { vocabulary: 60_000 }],
    ["a tokenizer that is not there", "no-such-file", { tokenizer: "none.json" }],
    ["broken gzip", "bad-gzip", file("a.txt.gz", "files", gzipSync(text).subarray(0, 2_000))],
    ["a tokenizer that is none", "bad-tokenizer", file("t.json", "tokenizer", utf8("{}"))],
    [
      "a tokenizer of too many tokens",
      "bad-tokenizer",
      file("t.json", "tokenizer", utf8(JSON.stringify(tokenizerWith(65_536)))),
    ],
    ["a disk that is full", "no-space", { disk: failingDisk(2) }],
  ];

  function file(name: string, option: "files" | "tokenizer", bytes: Uint8Array) {
    return async (dir: string): Promise<Change> => {
      const path = join(dir, name);
      await writeFile(path, bytes);
      return option === "files" ? { files: [path] } : { tokenizer: path };
    };
  }

  it.each(cases)("on %s: %s, and the data directory is as it was", async (_, code, change) => {
    await using dir = await temporary();
    const options = typeof change === "function" ? await change(dir.path) : change;
    await mkdir(join(dir.path, "data"));
    await writeFile(join(dir.path, "data", "notes.txt"), "the operator's own");
    const before = await listing(dir.path);
    expect((await failure(add(dir.path, options))).code).toBe(code);
    expect(await listing(dir.path)).toEqual(before);
  });

  it("works in a directory with other files (the control: nothing above failed for that)", async () => {
    await using dir = await temporary();
    await mkdir(join(dir.path, "data"));
    await writeFile(join(dir.path, "data", "notes.txt"), "the operator's own");
    await add(dir.path);
    expect(await readFile(join(dir.path, "data", "notes.txt"), "utf8")).toBe("the operator's own");
    expect((await readCorpus(join(dir.path, "data"))).index.vocabulary).toBe(300);
  });

  it("leaves no trace wherever the disk fills up, and none of a directory it made", async () => {
    await using dir = await temporary();
    const counting = failingDisk(Number.POSITIVE_INFINITY);
    await add(dir.path, { dataDir: join(dir.path, "done"), disk: counting });
    expect(counting.calls()).toBeGreaterThan(10);
    const before = await listing(dir.path);
    for (let call = 0; call < counting.calls(); call++) {
      const dataDir = join(dir.path, "new", "data");
      expect(
        (await failure(add(dir.path, { dataDir, disk: failingDisk(call), stdin: stream(utf8(text)) }))).code,
      ).toBe("no-space");
      expect(await listing(dir.path)).toEqual(before);
    }
  });

  it.each(["corpus.json", "run.json", "tokenizer.json", "shards"])(
    "refuses a directory that has %s",
    async (name) => {
      await using dir = await temporary();
      await mkdir(join(dir.path, "data"));
      await writeFile(join(dir.path, "data", name), "");
      const before = await listing(dir.path);
      expect((await failure(add(dir.path))).code).toBe("corpus-exists");
      expect(await listing(dir.path)).toEqual(before);
    },
  );

  it("yields to another that finished first", async () => {
    await using dir = await temporary();
    const results = await Promise.all([failure(add(dir.path)), failure(add(dir.path))]);
    expect(results.map(({ code }) => code).sort()).toEqual(["corpus-exists", "nothing failed"]);
    const left = await listing(join(dir.path, "data"));
    expect(left?.filter((path) => path.includes(".adding"))).toEqual([]);
    await readCorpus(join(dir.path, "data"));
  });

  it("clears away what a killed process left, and leaves a running one alone", async () => {
    await using dir = await temporary();
    const data = join(dir.path, "data");
    const [mine, dead, running] = [process.pid, 2 ** 30, process.ppid].map((pid) =>
      join(data, `.adding-${pid}-abcdef`),
    );
    for (const path of [mine, dead, running]) await mkdir(path!, { recursive: true });
    await add(dir.path);
    const left = await listing(data);
    expect(left?.filter((path) => path.includes(".adding"))).toEqual([`${running}/`]);
  });

  it("stops when the progress listener throws, and passes its error on", async () => {
    await using dir = await temporary();
    const stop = new Error("enough");
    const onProgress = ({ stage }: Progress) => {
      if (stage === "encoding") throw stop;
    };
    await expect(add(dir.path, { onProgress })).rejects.toBe(stop);
    expect(await listing(dir.path)).toEqual([]);
  });
});
