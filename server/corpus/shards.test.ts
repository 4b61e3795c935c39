import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { failure, prose, quickDisk, stream, temporary } from "../../test/corpus-fixture.ts";
import { addCorpus } from "./add.ts";
import { parseIndex } from "./index-file.ts";
import { readCorpus } from "./shards.ts";
import { Workspace } from "./workspace.ts";
import { ShardWriter } from "./writer.ts";

async function corpus(dataDir: string) {
  return addCorpus({
    files: ["-"],
    stdin: stream(utf8(prose(60_000))),
    dataDir,
    vocabulary: 300,
    shardTokens: 4_096,
    disk: quickDisk,
  });
}

describe("ShardWriter", () => {
  it("cuts tokens into shards of one size, the rest with the last, whatever the parts they come in", async () => {
    await using dir = await temporary();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(40), { maxLength: 12 }),
        fc.integer({ min: 4, max: 16 }),
        async (parts, size) => {
          const workspace = await Workspace.open(dir.path, quickDisk);
          const writer = new ShardWriter(workspace, size);
          const total = parts.reduce((sum, part) => sum + part, 0);
          const tokens = Uint16Array.from({ length: total }, (_, i) => i * 257);
          let at = 0;
          for (const part of parts) {
            await writer.add(tokens.subarray(at, at + part));
            at += part;
          }
          await writer.finish();
          await workspace.discard();
          const lengths = writer.entries.map((entry) => entry.tokens);
          const last = lengths.pop() ?? 0;
          expect(lengths.every((length) => length === size)).toBe(true);
          expect(last).toBe(total - lengths.length * size);
          expect(last < 2 * size && (last >= size || lengths.length === 0)).toBe(true);
          let start = 0;
          for (const entry of writer.entries) {
            const bytes = bytesOf(tokens.slice(start, start + entry.tokens));
            expect(entry.hash).toBe(await sha256(bytes));
            start += entry.tokens;
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it("writes a shard that comes twice once, and lists it twice", async () => {
    await using dir = await temporary();
    const workspace = await Workspace.open(dir.path, quickDisk);
    const writer = new ShardWriter(workspace, 4);
    await writer.add(Uint16Array.of(1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8));
    await writer.finish();
    expect(writer.entries.map((entry) => entry.tokens)).toEqual([4, 4, 4]);
    expect(writer.entries[0]).toEqual(writer.entries[1]);
  });

  it("refuses shards too large for a volunteer once the rest is added", async () => {
    await using dir = await temporary();
    const workspace = await Workspace.open(dir.path, quickDisk);
    expect(() => new ShardWriter(workspace, 256 * 1024)).not.toThrow();
    expect(() => new ShardWriter(workspace, 256 * 1024 + 1)).toThrow(RangeError);
  });
});

describe("readCorpus", () => {
  it("reads what was written, and knows what may be served", async () => {
    await using dir = await temporary();
    const index = await corpus(dir.path);
    const found = await readCorpus(dir.path);
    expect(found.index).toEqual(index);
    expect(await sha256(found.tokenizer)).toBe(index.tokenizer);
    expect(index.splits.train.length).toBeGreaterThan(2);
    for (const split of ["train", "gate", "heldOut"] as const) {
      for (const { hash, tokens } of index.splits[split]) {
        expect((await found.readShard(hash)).length).toBe(tokens);
        expect(found.isTrain(hash)).toBe(split === "train");
      }
    }
    expect(found.isTrain("0".repeat(64) as Hash)).toBe(false);
  });

  it("refuses a shard that is unknown, missing, or not its hash", async () => {
    await using dir = await temporary();
    const [first, second] = (await corpus(dir.path)).splits.train;
    const found = await readCorpus(dir.path);
    expect((await failure(found.readShard("0".repeat(64) as Hash))).code).toBe("bad-corpus");
    await writeFile(join(dir.path, "shards", first!.hash), "other");
    expect((await failure(found.readShard(first!.hash))).message).toMatch(/is not its hash$/);
    await rm(join(dir.path, "shards", second!.hash));
    expect((await failure(found.readShard(second!.hash))).message).toMatch(/is missing$/);
  });

  it("tells a directory without a corpus from one with a broken one", async () => {
    await using dir = await temporary();
    expect((await failure(readCorpus(dir.path))).code).toBe("no-corpus");
    expect((await failure(readCorpus(join(dir.path, "none")))).code).toBe("no-corpus");
    await mkdir(join(dir.path, "corpus.json"));
    expect((await failure(readCorpus(dir.path))).code).toBe("bad-corpus");
  });

  it("refuses another tokenizer than the corpus was made with", async () => {
    await using dir = await temporary();
    await corpus(dir.path);
    await writeFile(join(dir.path, "tokenizer.json"), "{}");
    expect((await failure(readCorpus(dir.path))).message).toMatch(/is not the one the corpus was made with$/);
    await rm(join(dir.path, "tokenizer.json"));
    expect((await failure(readCorpus(dir.path))).code).toBe("bad-corpus");
  });
});

describe("parseIndex", () => {
  const hash = "ab".repeat(32);
  const whole = {
    format: 1,
    tokenizer: hash,
    vocabulary: 512,
    splits: { train: [{ hash, tokens: 5 }], gate: [{ hash, tokens: 2 }], heldOut: [{ hash, tokens: 3 }] },
    tokens: 10,
    bytes: 20,
    sources: [{ name: "a.txt", bytes: 20 }],
    baselines: { uniform: 6.2, unigram: 5.2, bigram: 3.7 },
  };
  const parse = (value: unknown) => failure((async () => parseIndex(utf8(JSON.stringify(value))))());

  it("takes a whole one", () => {
    expect(parseIndex(utf8(JSON.stringify(whole)))).toEqual(whole);
  });

  it.each([
    ["format", { format: 2 }],
    ["tokenizer", { tokenizer: "AB".repeat(32) }],
    ["vocabulary", { vocabulary: 65_537 }],
    ["splits", { splits: null }],
    ["splits.gate.length", { splits: { ...whole.splits, gate: [] } }],
    [
      "splits.train[0].hash",
      { splits: { ...whole.splits, train: [{ hash: "../../etc/passwd", tokens: 5 }] } },
    ],
    ["splits.train[0].tokens", { splits: { ...whole.splits, train: [{ hash, tokens: 600_000 }] } }],
    ["splits.heldOut", { splits: { train: whole.splits.train, gate: whole.splits.gate } }],
    ["tokens", { tokens: 11 }],
    ["bytes", { bytes: -1 }],
    ["sources[0].name", { sources: [{ name: 1, bytes: 1 }] }],
    ["baselines.bigram", { baselines: { ...whole.baselines, bigram: "3" } }],
  ])("refuses a wrong %s, and names it", async (field, change) => {
    const { code, message } = await parse({ ...whole, ...change });
    expect(code).toBe("bad-corpus");
    expect(message).toContain(`: ${field} must be`);
  });

  it("refuses bytes that are no JSON, and never fails otherwise", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), async (bytes) => {
        expect((await failure((async () => parseIndex(Uint8Array.from(bytes)))())).code).toBe("bad-corpus");
      }),
    );
  });
});
