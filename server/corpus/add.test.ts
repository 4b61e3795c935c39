import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { utf8 } from "../../protocol/bytes.ts";
import {
  failingDisk,
  failure,
  listing,
  prose,
  quickDisk,
  stream,
  temporary,
} from "../../test/corpus-fixture.ts";
import { addCorpus } from "./add.ts";
import type { AddOptions, Progress } from "./options.ts";
import { readCorpus } from "./shards.ts";

const text = prose(40_000);

type Change = Partial<AddOptions>;

/** Adds `text`, with changes, to `data` in `dir`. */
const add = (dir: string, change: Change = {}) =>
  addCorpus({
    files: ["-"],
    stdin: stream(utf8(text)),
    dataDir: join(dir, "data"),
    vocabulary: 300,
    shardTokens: 4_096,
    disk: quickDisk,
    ...change,
  });

/** A tokenizer.json of 256 bytes and one more token with the given id. */
function tokenizerWith(id: number): Record<string, unknown> {
  const level = { type: "ByteLevel", add_prefix_space: false };
  const vocab = { a: 0, e: 1 };
  return {
    added_tokens: [{ id, content: "<|end|>", special: true }],
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: { type: "BPE", unk_token: "<|end|>", vocab, merges: [] },
  };
}

describe("addCorpus", () => {
  it("makes shards that decode to the text, each split its own, with a tokenizer of the size asked for", async () => {
    await using dir = await temporary();
    const index = await add(dir.path);
    const corpus = await readCorpus(join(dir.path, "data"));
    const tokenizer = loadTokenizer(corpus.tokenizer);
    expect([index.vocabulary, tokenizer.vocabulary]).toEqual([300, 300]);
    const texts = { train: "", gate: "", heldOut: "" };
    for (const split of ["train", "gate", "heldOut"] as const) {
      const shards = await Promise.all(index.splits[split].map(({ hash }) => corpus.readShard(hash)));
      texts[split] = tokenizer.decode(shards.flatMap((shard) => [...shard]));
    }
    const { train, gate, heldOut } = texts;
    expect(utf8(train + gate + heldOut).length).toBe(index.bytes);
    expect(index.bytes).toBe(utf8(text).length);
    const sentences = (part: string) => part.split(/[.]\s+/).filter((sentence) => sentence.length > 60);
    const trained = new Set(sentences(train));
    for (const part of [gate, heldOut]) {
      expect(sentences(part).length).toBeGreaterThan(5);
      expect(sentences(part).some((sentence) => trained.has(sentence))).toBe(false);
      const whole = sentences(part).filter((sentence) => text.includes(sentence)); // all but those at a seam
      expect(whole.length).toBeGreaterThan(sentences(part).length / 2);
    }
    expect(index.sources).toEqual([{ name: "stdin", bytes: index.bytes }]);
    expect(await listing(join(dir.path, "data"))).toHaveLength(
      3 + new Set(Object.values(index.splits).flatMap((shards) => shards.map(({ hash }) => hash))).size,
    );
  });

  it("trains the tokenizer on the train text alone", async () => {
    await using dir = await temporary();
    const first = await add(dir.path);
    const corpus = await readCorpus(join(dir.path, "data"));
    const gate = await corpus.readShard(first.splits.gate[0]!.hash);
    const start = loadTokenizer(corpus.tokenizer).decode(gate).slice(0, 40);
    // The gate's first block with other words in it: were it seen, it would change the merges.
    const changed = text.replace(start, start.replaceAll(/\p{L}/gu, "z"));
    expect(changed).not.toBe(text);
    const second = await add(dir.path, { dataDir: join(dir.path, "two"), stdin: stream(utf8(changed)) });
    expect(second.tokenizer).toBe(first.tokenizer);
    expect(second.splits.train).toEqual(first.splits.train);
    expect(second.splits.gate).not.toEqual(first.splits.gate);
  });

  it("makes the same bytes from the same text", async () => {
    await using dir = await temporary();
    const bytes = await Promise.all(
      ["one", "two"].map(async (name) => {
        await add(dir.path, {
          dataDir: join(dir.path, name),
          stdin: stream(...chunks(utf8(text), name.length * 977)),
        });
        const files = ["corpus.json", "tokenizer.json"].map((file) =>
          readFile(join(dir.path, name, file), "utf8"),
        );
        return Promise.all(files);
      }),
    );
    expect(bytes[0]).toEqual(bytes[1]);
  });

  it("puts documents and sources one after another", async () => {
    await using dir = await temporary();
    const lines = text.split("\n\n").map((part) => JSON.stringify({ body: part }));
    await writeFile(join(dir.path, "a.jsonl.gz"), gzipSync(lines.slice(0, 100).join("\n")));
    await writeFile(join(dir.path, "b.jsonl"), lines.slice(100).join("\n"));
    const files = ["a.jsonl.gz", "b.jsonl"].map((file) => join(dir.path, file));
    const index = await add(dir.path, { files, field: "body" });
    const plain = text
      .split("\n\n")
      .filter((part) => part !== "")
      .join("\n\n");
    const same = await add(dir.path, { dataDir: join(dir.path, "plain"), stdin: stream(utf8(plain)) });
    expect(index.splits).toEqual(same.splits);
    expect(index.sources.map(({ name }) => name)).toEqual(["a.jsonl.gz", "b.jsonl"]);
  });

  it("takes a given tokenizer as it is", async () => {
    await using dir = await temporary();
    const first = await add(dir.path);
    const tokenizer = join(dir.path, "data", "tokenizer.json");
    const second = await add(dir.path, { dataDir: join(dir.path, "two"), tokenizer, vocabulary: 9 });
    expect(second).toEqual(first);
    expect(await readFile(join(dir.path, "two", "tokenizer.json"))).toEqual(await readFile(tokenizer));
  });

  it("rounds a small given vocabulary up to what a model may have", async () => {
    await using dir = await temporary();
    const tokenizer = join(dir.path, "small.json");
    await writeFile(tokenizer, JSON.stringify(tokenizerWith(2)));
    const index = await add(dir.path, { tokenizer });
    expect(index.vocabulary).toBe(256);
  });

  it("tells how far it is, stage by stage, up to the end", async () => {
    await using dir = await temporary();
    const heard: Progress[] = [];
    await writeFile(join(dir.path, "a.txt"), text);
    await add(dir.path, { files: [join(dir.path, "a.txt")], onProgress: (progress) => heard.push(progress) });
    const stages = [...new Set(heard.map(({ stage }) => stage))];
    expect(stages).toEqual(["reading", "counting", "merging", "encoding"]);
    for (const name of stages) {
      const last = heard.filter(({ stage }) => stage === name).at(-1)!;
      expect(last.done).toBe(last.total);
    }
  });

  it("reads no further ahead than it writes", async () => {
    await using dir = await temporary();
    const chunk = utf8(prose(64_000));
    let read = 0;
    let written = 0;
    let most = 0;
    async function* endless() {
      for (let i = 0; i < 60; i++) {
        read += chunk.length;
        yield chunk;
        most = Math.max(most, read - written);
      }
    }
    const disk = {
      ...quickDisk,
      async create(path: string) {
        const file = await quickDisk.create(path);
        return {
          ...file,
          async write(bytes: Uint8Array) {
            await file.write(bytes);
            if (path.endsWith(".text")) written += bytes.length;
          },
        };
      },
    };
    await add(dir.path, { stdin: endless(), disk, vocabulary: 256 });
    expect(written).toBe(60 * chunk.length);
    expect(most).toBeLessThan(1_000_000); // of 3.9 MB: a write's worth for each split, and a chunk
  });
});

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

function chunks(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}
