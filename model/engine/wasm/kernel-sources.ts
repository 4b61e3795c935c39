import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";

/** What build.ts makes. */
const GENERATED = ["kernels.generated.ts", "kernels-fma.generated.ts"];
/** What decides their bytes beside assembly/. */
const BESIDE = ["build.ts", "microkernel.ts"];

/** The first line of a module of compiled kernels in `folder` (its URL ends in a slash): it names the sources' digest. */
export async function headerOf(folder: URL): Promise<string> {
  const names = (await readdir(new URL("assembly/", folder))).filter((name) => name.endsWith(".ts")).sort();
  const digest = createHash("sha256");
  for (const path of [...names.map((name) => `assembly/${name}`), ...BESIDE]) {
    digest.update(path).update(await readFile(new URL(path, folder)));
  }
  return `/** Compiled from assembly/ by build.ts; SHA-256 of the sources: ${digest.digest("hex")} */`;
}

/** Whether the kernels of `folder` were compiled from the sources that lie there now. */
export async function areFresh(folder: URL): Promise<boolean> {
  const header = await headerOf(folder);
  const made = GENERATED.map((name) => readFile(new URL(name, folder), "utf8").catch(() => ""));
  return (await Promise.all(made)).every((text) => text.startsWith(header));
}
