import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { areFresh } from "../../model/engine/wasm/kernel-sources.ts";
import { bringUpToDate } from "./pages.ts";

/**
 * `npm run build:client`, and what `npm start` does first: bundles the pages where anything they are made of has
 * changed, and the kernels likewise. Says nothing where there is nothing to do.
 */
const root = join(import.meta.dirname, "../..");

try {
  await compileKernels();
  await bringUpToDate(root, bundle, (why) => {
    process.stderr.write(`Building the pages, since ${why} …\n`);
  });
} catch (error) {
  process.stderr.write(`The pages were not built: ${explain(error)}\n`);
  process.exitCode = 1;
}

/** An install with --ignore-scripts has not compiled them, and a pull may have changed what they are made of. */
async function compileKernels(): Promise<void> {
  const folder = join(root, "model/engine/wasm");
  if (await areFresh(pathToFileURL(`${folder}/`))) return;
  const { status, stderr } = spawnSync(process.execPath, [join(folder, "build.ts")], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the kernels were not compiled\n${stderr}`);
}

/** The pages of a run, and then those of a server of several and the embed's loader into the same folder. */
async function bundle(folder: string): Promise<void> {
  const { build } = await import("vite"); // late: half a second that a start without changes does not take
  for (const [config, emptyOutDir] of [
    ["vite.config.ts", true],
    ["vite.lobby.config.ts", false],
    ["vite.embed.config.ts", false],
  ] as const) {
    const configFile = join(root, config);
    await build({ configFile, logLevel: "silent", build: { outDir: folder, emptyOutDir } });
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const missing = "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
  return missing ? `a package is missing (${error.message}); \`npm ci\` installs it` : error.message;
}
