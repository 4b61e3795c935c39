import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { serveCommand } from "../../server/cli/main.ts";
import { addCorpus } from "../../server/corpus/add.ts";

/** `serve` in this process, and a directory for a test to serve from. */
export let directory: string;
let stops: (() => Promise<number>)[] = [];

/** Before each test. */
export async function makeDirectory(): Promise<void> {
  directory = await mkdtemp(join(tmpdir(), "murmuration-serve-"));
  stops = [];
}

/** After each test: also stops what it started. */
export async function removeDirectory(): Promise<void> {
  for (const stop of stops) await stop();
  await rm(directory, { recursive: true, force: true });
}

export const SETTINGS = {
  model: { layers: 1, heads: 1, width: 8, context: 16 },
  evaluateWindows: 1,
  name: "A test",
};

/** Runs `serve` in this process; `program` is what it would start volunteers with. */
export function serve(args: readonly string[], program: readonly [string, ...string[]] = [process.execPath]) {
  const output = { out: "", err: "" };
  const controller = new AbortController();
  const ended = serveCommand(args, {
    stdout: {
      write: (text) => {
        output.out += text;
      },
    },
    stderr: {
      write: (text) => {
        output.err += text;
      },
    },
    signal: controller.signal,
    program,
  });
  const stop = () => {
    controller.abort();
    return ended;
  };
  stops.push(stop);
  /** The origin it prints, once it listens. */
  const origin = async () => {
    await vi.waitFor(() => expect(output.out).toMatch(/https?:\S+/), 25_000);
    return /(https?:\/\/[^\s/]+)/.exec(output.out)?.[1] ?? "";
  };
  return { output, ended, stop, origin };
}

export async function corpus(name = "data"): Promise<string> {
  const text = join(directory, `${name}.txt`);
  const words = Array.from(
    { length: 4_000 },
    (_, i) => ["the", "whale", "sea", "of", "a", "ship"][(i * i + 3 * i) % 6],
  );
  await writeFile(text, words.join(" "));
  const dataDir = join(directory, name);
  await addCorpus({ files: [text], dataDir, vocabulary: 256 });
  return dataDir;
}

export async function runFile(settings: object | string = SETTINGS): Promise<string> {
  const file = join(directory, "run.json");
  await writeFile(file, typeof settings === "string" ? settings : JSON.stringify(settings));
  return file;
}
