import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { temporary } from "../../test/corpus-fixture.ts";
import { addDefaultCorpus } from "./default.ts";
import { readCorpus } from "./shards.ts";

describe("addDefaultCorpus", () => {
  it("is Moby Dick once, in order, and its unigram baseline is about 84% of a uniform guess", {
    timeout: 60_000,
  }, async () => {
    await using dir = await temporary();
    const index = await addDefaultCorpus(dir.path);
    expect(index.vocabulary).toBe(512);
    expect(index.sources.map(({ name }) => name)).toEqual(
      Array.from({ length: 135 }, (_, i) => `chapter_${i + 1}.txt`),
    );
    const sourced = index.sources.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(index.bytes).toBe(sourced + 134 * "\n\n".length);
    const { uniform, unigram, bigram } = index.baselines;
    expect(uniform).toBeCloseTo(Math.log(512), 5);
    expect(unigram / uniform).toBeCloseTo(0.843, 3);
    expect(bigram / uniform).toBeCloseTo(0.605, 3);
    const corpus = await readCorpus(dir.path);
    const [first] = index.splits.train;
    const text = loadTokenizer(corpus.tokenizer).decode(await corpus.readShard(first!.hash));
    expect(text).toMatch(/^CHAPTER 1\. Loomings\.\s+Call me Ishmael\./);
  });
});
