import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withEntries } from "../bench/gpt2/tokenizer.ts";
import { loadTokenizer } from "../model/data/tokenizer.ts";
import { addCorpus } from "../server/corpus/add.ts";
import { prose } from "./corpus-fixture.ts";

test("a small tokenizer is filled up to GPT-2's number of entries, and reads text back", async () => {
  const directory = await mkdtemp(join(tmpdir(), "murmuration-bench-gpt2-"));
  try {
    const text = join(directory, "text.txt");
    await writeFile(text, prose(30_000));
    await addCorpus({ files: [text], dataDir: join(directory, "data"), vocabulary: 300 });
    const learnt = await readFile(join(directory, "data/tokenizer.json"), "utf8");
    const filled = withEntries(learnt, 50_257);
    expect(withEntries(learnt, 50_257)).toBe(filled);
    const tokenizer = loadTokenizer(new TextEncoder().encode(filled));
    expect(tokenizer.vocabulary).toBe(50_257);
    const tokens = tokenizer.encode("Call me Ishmael. Größe!");
    expect(tokenizer.decode([...tokens])).toBe("Call me Ishmael. Größe!");
    expect(() => withEntries(learnt, 300 * 300 + 1_000)).toThrow(RangeError);
  } finally {
    await rm(directory, { recursive: true });
  }
});
