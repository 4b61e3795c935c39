import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Random } from "../model/lib/random.ts";
import { type Disk, nodeDisk } from "../server/corpus/disk.ts";
import { CorpusError } from "../server/corpus/error.ts";

/** A directory for one test, removed when it ends: `await using dir = await temporary()`. */
export async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "murmuration-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Every entry below a directory with the hash of its bytes; undefined when there is no directory. */
export async function listing(directory: string): Promise<string[] | undefined> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return undefined;
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) return `${path}/`;
    return `${path} ${createHash("sha256")
      .update(await readFile(path))
      .digest("hex")}`;
  });
  return (await Promise.all(lines)).sort();
}

/** Any text at all: code points of every plane, lone surrogates among them. */
export const anyString = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x10ffff }), fc.integer({ min: 0, max: 0x17f })))
  .map((codes) => String.fromCodePoint(...codes));

/** Paragraphs of made-up words with some repetition in them, at least `characters` long. */
export function prose(characters: number, seed = 1): string {
  const random = new Random(seed);
  const letter = () => "etaoinshrdlucmfé"[Math.min(random.below(16), random.below(16))]!;
  const words = Array.from({ length: 300 }, () =>
    Array.from({ length: 2 + random.below(7) }, letter).join(""),
  );
  const word = () => words[Math.min(random.below(300), random.below(300))]!;
  let text = "";
  while (text.length < characters) {
    const sentence = Array.from({ length: 4 + random.below(12) }, word).join(" ");
    text += `${sentence}.${random.below(5) === 0 ? "\n\n" : " "}`;
  }
  return text;
}

/** The node disk without waiting for the device: what a test writes need not outlive a power cut. */
export const quickDisk: Disk = {
  ...nodeDisk,
  async create(path) {
    const file = await nodeDisk.create(path);
    return { write: (bytes) => file.write(bytes), close: () => file.close(false) };
  },
};

/** The quick disk, whose `failing`-th write (or rename), counted from 0, fails as on a full disk. */
export function failingDisk(failing: number): Disk & { readonly calls: () => number } {
  let calls = 0;
  const pass = () => {
    if (calls++ === failing) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  return {
    calls: () => calls,
    async create(path) {
      const file = await quickDisk.create(path);
      return {
        async write(bytes) {
          pass();
          await file.write(bytes);
        },
        close: (durable) => file.close(durable),
      };
    },
    async rename(from, to) {
      pass();
      await nodeDisk.rename(from, to);
    },
  };
}

/** The code of the CorpusError that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CorpusError) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: "nothing failed", message: "" };
}

export async function* stream<T>(...items: T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
