import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unlessMissing } from "../../model/lib/system-code.ts";
import { type Digests, digestOf, digestsOf, readStamp, whyStale } from "./fresh.ts";

/** Folders whose code the pages are bundled from. */
const SOURCES = ["client", "model", "protocol"];
/** Beside them, what decides how: the bundler's settings, and the packages. */
const SETTINGS = [
  "vite.config.ts",
  "vite.lobby.config.ts",
  "vite.embed.config.ts",
  "tsconfig.json",
  "package.json",
  "package-lock.json",
];
/** Not bundled; of the kernels only what was compiled of them. */
const LEFT_OUT = /\.test\.tsx?$|^engine\/wasm\/assembly\//;

/** Makes the pages in a folder that is empty. Rejects where the code cannot be bundled. */
export type Bundle = (folder: string) => Promise<void>;

/**
 * Brings `root`/dist/client up to date. Resolves to why they were built, or to undefined where nothing has changed
 * since the last time; `say` hears of it before. They are bundled elsewhere and then moved, so that a build that
 * fails or is killed leaves what was there, and two at once do no harm.
 */
export async function bringUpToDate(
  root: string,
  bundle: Bundle,
  say: (why: string) => void,
): Promise<string | undefined> {
  const folder = join(root, "dist/client");
  const stampFile = join(root, "dist/client.json");
  const inputs = await inputsOf(root);
  const stale = whyStale(await readStamp(stampFile), {
    inputs,
    outputs: await digestsOf(folder, () => true),
  });
  if (stale === undefined) return undefined;
  say(stale);
  const fresh = join(root, `dist/client.new-${process.pid}`);
  const old = join(root, `dist/client.old-${process.pid}`);
  try {
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    await bundle(fresh);
    await rm(stampFile, { force: true });
    // A running server has read its pages already; at a first build there are none.
    await rename(folder, old).catch(unlessMissing);
    await rename(fresh, folder);
    await writeFile(stampFile, JSON.stringify({ inputs, outputs: await digestsOf(folder, () => true) }));
  } finally {
    for (const left of [fresh, old]) await rm(left, { recursive: true, force: true });
  }
  return stale;
}

async function inputsOf(root: string): Promise<Digests> {
  const inputs: Record<string, string> = {};
  for (const source of SOURCES) {
    const digests = await digestsOf(join(root, source), (path) => !LEFT_OUT.test(path));
    for (const [path, digest] of Object.entries(digests)) inputs[`${source}/${path}`] = digest;
  }
  for (const name of SETTINGS) {
    const digest = await digestOf(join(root, name));
    if (digest !== undefined) inputs[name] = digest;
  }
  return inputs;
}
