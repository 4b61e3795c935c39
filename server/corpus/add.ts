import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { ADDED_FOLDER } from "./added.ts";
import { checkVocabulary } from "./bpe.ts";
import { nodeDisk, writeError } from "./disk.ts";
import { DuplicateFinder } from "./duplicates.ts";
import type { CorpusIndex } from "./index-file.ts";
import { keptText } from "./kept-text.ts";
import type { AddOptions } from "./options.ts";
import { type Material, prepare, progressOf } from "./prepare.ts";
import { findSource, type Source } from "./read.ts";
import { readCorpus } from "./shards.ts";
import { keptTokenizer, openTokenizer } from "./tokenizer.ts";
import { Workspace } from "./workspace.ts";

/**
 * Makes a data directory's corpus from files: splits the text, trains (or takes) the tokenizer on the train
 * text, writes the shards, and corpus.json last. Passages that come twice are counted, and left out where `duplicates`
 * says so.
 *
 * On any failure, which is a CorpusError unless the system failed in a way we do not know, the data directory
 * is as it was.
 */
export async function addCorpus(options: AddOptions): Promise<CorpusIndex> {
  const { dataDir, vocabulary, duplicates = "keep", disk = nodeDisk } = options;
  if (options.tokenizer === undefined) checkVocabulary(vocabulary);
  const tokenizer = options.tokenizer === undefined ? undefined : await openTokenizer(options.tokenizer);
  const sources = await sourcesOf(options);
  const material = { sources, tokenizer, duplicates: finding(duplicates) };
  return make(await reporting(dataDir, Workspace.open(dataDir, disk)), material, options, (workspace) =>
    workspace.publish(),
  );
}

/**
 * Adds text to a data directory that has a corpus: in its tokenizer's tokens, split as the first text was, with shards
 * of its own. What was held out stays so; the new text has held-out and gate parts beside it. Passages that the
 * corpus has already are left out, unless `duplicates` says otherwise: among them may be what is held out.
 *
 * The run takes it in when it is opened, or when its operator's page asks it to. Cut short at any point, the corpus is as it was.
 */
export async function addText(options: Omit<AddOptions, "vocabulary" | "tokenizer">): Promise<CorpusIndex> {
  const { dataDir, duplicates = "drop", disk = nodeDisk, onProgress = () => {} } = options;
  const sources = await sourcesOf(options);
  const corpus = await readCorpus(dataDir);
  const material = { sources, tokenizer: keptTokenizer(corpus.tokenizer), duplicates: finding(duplicates) };
  const { decode } = loadTokenizer(corpus.tokenizer);
  const indices = [corpus.index, ...corpus.added.map(({ index }) => index)];
  const total = indices.reduce((sum, { tokens }) => sum + tokens, 0);
  await material.duplicates.finder.learn(
    keptText(corpus, { decode }, progressOf("comparing", total, onProgress)),
  );
  const number = corpus.added.length + 1;
  const workspace = await reporting(dataDir, Workspace.openBeside(dataDir, disk));
  return make(workspace, material, { ...options, vocabulary: corpus.index.vocabulary }, () =>
    workspace.publishBeside(ADDED_FOLDER, number),
  );
}

const finding = (duplicates: "keep" | "drop"): Material["duplicates"] => ({
  finder: new DuplicateFinder(),
  drop: duplicates === "drop",
});

async function sourcesOf(
  options: Pick<AddOptions, "files" | "names" | "stdin" | "stdinKind">,
): Promise<Source[]> {
  const { stdin = nothing(), stdinKind = "text" } = options;
  const sources: Source[] = [];
  for (const [i, file] of options.files.entries()) {
    const source = await findSource(file, stdin, stdinKind);
    sources.push({ ...source, name: options.names?.[i] ?? source.name });
  }
  return sources;
}

async function make(
  workspace: Workspace,
  material: Material,
  options: AddOptions,
  publish: (workspace: Workspace) => Promise<void>,
): Promise<CorpusIndex> {
  try {
    const index = await prepare(workspace, material, options);
    await publish(workspace);
    return index;
  } catch (error) {
    await workspace.discard();
    throw writeError(error, options.dataDir);
  }
}

const reporting = <T>(dataDir: string, opening: Promise<T>): Promise<T> =>
  opening.catch((error: unknown) => {
    throw writeError(error, dataDir);
  });

async function* nothing(): AsyncGenerator<Uint8Array> {}
