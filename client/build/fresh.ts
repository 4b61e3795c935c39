import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** SHA-256 of files' bytes, by path. */
export type Digests = Readonly<Record<string, string>>;

/** A build's inputs and outputs. */
export interface Stamp {
  readonly inputs: Digests;
  readonly outputs: Digests;
}

/**
 * Why what is built cannot be taken as it is: a file that it was made from has changed, come or gone, or what was
 * made is not whole any more. Undefined where it can. `before` is the last build's stamp.
 */
export function whyStale(before: Stamp | undefined, now: Stamp): string | undefined {
  if (before === undefined) return "they were never built";
  const input = difference(before.inputs, now.inputs);
  if (input !== undefined) return `${input} has changed`;
  const output = difference(before.outputs, now.outputs);
  return output === undefined ? undefined : `${output} is not as it was built`;
}

/** A path whose bytes differ, or that only one has. */
function difference(before: Digests, now: Digests): string | undefined {
  const paths = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...paths].find((path) => before[path] !== now[path]);
}

/** The digests of all files below `root` that `wanted` accepts by their path from there; none where there is no root. */
export async function digestsOf(root: string, wanted: (path: string) => boolean): Promise<Digests> {
  const names = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = names
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll("\\", "/"),
    )
    .filter(wanted)
    .sort();
  const digests = await Promise.all(
    paths.map(async (path) => [path, await digestOf(join(root, path))] as const),
  );
  return Object.fromEntries(
    digests.flatMap(([path, digest]) => (digest === undefined ? [] : [[path, digest]])),
  );
}

/** A file's digest, or undefined where there is no such file. */
export async function digestOf(file: string): Promise<string | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes && createHash("sha256").update(bytes).digest("hex");
}

/** Reads a stamp; one that is missing or damaged is none. */
export async function readStamp(file: string): Promise<Stamp | undefined> {
  try {
    const { inputs, outputs }: Partial<Stamp> = JSON.parse(await readFile(file, "utf8"));
    return inputs && outputs && { inputs, outputs };
  } catch {
    return undefined;
  }
}
