import { addCorpus } from "./add.ts";
import { defaultTexts } from "./default-texts.ts";
import type { CorpusIndex } from "./index-file.ts";
import type { Progress } from "./options.ts";

/** Tokens of the default run: a book of this size has use for that many. */
export const DEFAULT_VOCABULARY = 512;

/**
 * Gives a data directory the default run's corpus, which comes with the program, so that a first run needs no download;
 * with a tokenizer.json, in its tokens.
 */
export async function addDefaultCorpus(
  dataDir: string,
  onProgress?: (progress: Progress) => void,
  tokenizer?: string,
  vocabulary = DEFAULT_VOCABULARY,
  context?: number,
  onWarning?: (line: string) => void,
): Promise<CorpusIndex> {
  const files = await defaultTexts();
  return addCorpus({ files, dataDir, vocabulary, tokenizer, context, onProgress, onWarning });
}
