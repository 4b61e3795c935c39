import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { unlessMissing } from "../../model/lib/system-code.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { CorpusError } from "./error.ts";
import { type CorpusIndex, parseIndex, readPart } from "./index-file.ts";

/** Where in a data directory the lists of added text are: 1.json, 2.json and so on, each as corpus.json is. */
export const ADDED_FOLDER = "added";

/** Text that was added to a run, in the order of the numbers. */
export interface Added {
  /** SHA-256 of its file: the journal names it so. */
  readonly text: Hash;
  readonly index: CorpusIndex;
}

/** Reads what was added to a directory's corpus. Throws `bad-corpus` where a number is missing or a file is not one of ours. */
export async function readAdded(dataDir: string, tokenizer: Hash): Promise<readonly Added[]> {
  const folder = join(dataDir, ADDED_FOLDER);
  const names = await readdir(folder).catch((error: unknown): string[] => {
    unlessMissing(error);
    return [];
  });
  const count = names.filter((name) => /^[1-9]\d*\.json$/.test(name)).length;
  const added: Added[] = [];
  for (let number = 1; number <= count; number++) {
    const name = `${number}.json`;
    const bytes = await readPart(join(folder, name), "bad-corpus");
    const index = parseIndex(bytes, `${ADDED_FOLDER}/${name}`);
    if (index.tokenizer !== tokenizer) {
      throw new CorpusError("bad-corpus", `${ADDED_FOLDER}/${name} is in another tokenizer's tokens`);
    }
    added.push({ text: await sha256(bytes), index });
  }
  return added;
}
