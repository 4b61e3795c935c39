import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pino } from "pino";
import { serverTyped } from "../../protocol/address.ts";
import { openDirectory } from "../app/open-directory.ts";
import { makeDirectory } from "../corpus/disk.ts";
import { copyRun } from "../data-dir/copy.ts";
import { kindOf } from "../data-dir/directory.ts";
import { LockedError } from "../data-dir/error.ts";
import { severalIn } from "../data-dir/runs.ts";
import { ExportError } from "../export/error.ts";
import { fetchModel } from "../export/fetch.ts";
import { type ExportedModel, exportOf, toGguf, toHuggingFace } from "../export/model.ts";
import type { Writer } from "../lib/io.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";

const EXPORT_USAGE = `Usage: murmuration export DIR|URL --format hf|gguf [--type f32|f16] --out PATH

Takes a run's current model out: of a data directory, also while it is served, or of a running server.

  --format hf     a folder that Hugging Face's tools open as GPT-2: model.safetensors, config.json,
                  tokenizer.json and their companions
  --format gguf   one file that llama.cpp and what builds on it opens
  --type TYPE     how gguf stores matrices: f32 (the default, exact) or f16 (half the size)
  --out PATH      the folder, or the file, to write; an existing file is replaced
`;

/** `murmuration export …`. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command. */
export const exportCommand = (args: readonly string[], io: CommandIo): Promise<number> =>
  runCommand(
    {
      name: "export",
      usage: EXPORT_USAGE,
      parse: parseFlags,
      async run(flags) {
        const model = await load(flags, io.stderr);
        const { name, version } = model.manifest;
        for (const file of await write(model, flags)) io.stdout.write(`${file}\n`);
        io.stderr.write(`${name}, version ${version}\n`);
      },
    },
    args,
    io,
  );

interface ExportFlags {
  readonly from: string;
  readonly format: "hf" | "gguf";
  readonly type: "f32" | "f16";
  readonly out: string;
}

function parseFlags(args: readonly string[]): ExportFlags | "help" {
  const text = { type: "string" } as const;
  const { values, positionals } = readArgs(args, { format: text, type: text, out: text });
  if (values.help) return "help";
  const { format, type = "f32", out } = values;
  const [from, ...more] = positionals;
  if (from === undefined || more.length > 0) throw new UsageError("name one data directory or URL");
  if (format !== "hf" && format !== "gguf") throw new UsageError("--format is hf or gguf");
  if (type !== "f32" && type !== "f16") throw new UsageError("--type is f32 or f16");
  if (type === "f16" && format === "hf") throw new UsageError("--type is for --format gguf");
  if (out === undefined) throw new UsageError("--out says where to write");
  return { from, format, type, out };
}

function load({ from, out }: ExportFlags, stderr: Writer): Promise<ExportedModel> {
  const server = serverTyped(from);
  return server === undefined ? readDirectory(from, dirname(out), stderr) : fetchModel(server, fetch);
}

async function readDirectory(directory: string, beside: string, stderr: Writer): Promise<ExportedModel> {
  const several = await severalIn(directory);
  if (several !== undefined) throw new ExportError(several);
  // Opening an empty directory would begin a run there.
  if ((await kindOf(directory)) !== "ours") throw new ExportError(`there is no run in ${directory}`);
  try {
    return await modelIn(directory, stderr);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    return readCopy(directory, beside, stderr);
  }
}

/** A server, or an archive that follows a cluster, has the directory for itself: what it has written is read from a copy. */
async function readCopy(directory: string, beside: string, stderr: Writer): Promise<ExportedModel> {
  await makeDirectory(beside);
  const place = await mkdtemp(join(beside, ".export-"));
  try {
    const copy = join(place, "run");
    await copyRun(directory, copy, "link", async () => {});
    return await modelIn(copy, stderr);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function modelIn(directory: string, stderr: Writer): Promise<ExportedModel> {
  const opened = await openDirectory(directory, { log: pino({ level: "silent" }), stderr });
  try {
    const { run } = opened;
    if (run === undefined) throw new ExportError(`there is a text in ${directory}, but no run yet`);
    return exportOf(run);
  } finally {
    await opened.close();
  }
}

async function write(model: ExportedModel, { format, type, out }: ExportFlags): Promise<string[]> {
  if (format === "gguf") {
    await writeFile(out, toGguf(model, type));
    return [out];
  }
  const files = toHuggingFace(model);
  await makeDirectory(out);
  for (const { name, bytes } of files) await writeFile(join(out, name), bytes);
  return files.map(({ name }) => join(out, name));
}
