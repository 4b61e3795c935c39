import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { add, text, tokenizerWith } from "../../test/add-corpus.ts";
import { listing, prose, quickDisk, stream, temporary } from "../../test/corpus-fixture.ts";
import type { Progress } from "./options.ts";
import { readCorpus } from "./shards.ts";

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

function chunks(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}
