import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { serverTyped } from "../../protocol/address.ts";
import { openDirectory } from "../app/open-directory.ts";
import { makeDirectory } from "../corpus/disk.ts";
import { kindOf } from "../data-dir/directory.ts";
import { LockedError } from "../data-dir/error.ts";
import { ExportError } from "../export/error.ts";
import { fetchModel } from "../export/fetch.ts";
import { type ExportedModel, exportOf, toGguf, toHuggingFace } from "../export/model.ts";
import type { Writer } from "../lib/io.ts";
import { lineOf } from "./failure.ts";

const EXPORT_USAGE = `Usage: murmuration export DIR|URL --format hf|gguf [--type f32|f16] --out PATH

Takes a run's current model out: of a data directory that is not being served, or of a running server.

  --format hf     a folder that Hugging Face's tools open as GPT-2: model.safetensors, config.json,
                  tokenizer.json and their companions
  --format gguf   one file that llama.cpp and what builds on it opens
  --type TYPE     how gguf stores matrices: f32 (the default, exact) or f16 (half the size)
  --out PATH      the folder, or the file, to write; an existing file is replaced
`;

export interface ExportIo {
  readonly stdout: Writer;
  readonly stderr: Writer;
}

/** `murmuration export …`. Resolves to the exit code: 0, 1 where it failed, 2 for a wrong command. */
export async function exportCommand(args: readonly string[], io: ExportIo): Promise<number> {
  let flags: ExportFlags | "help";
  try {
    flags = parseFlags(args);
  } catch (error) {
    io.stderr.write(`murmuration export: ${messageOf(error)}\n\n${EXPORT_USAGE}`);
    return 2;
  }
  if (flags === "help") {
    io.stdout.write(EXPORT_USAGE);
    return 0;
  }
  try {
    const model = await load(flags.from, io.stderr);
    const { name, version } = model.manifest;
    for (const file of await write(model, flags)) io.stdout.write(`${file}\n`);
    io.stderr.write(`${name}, version ${version}\n`);
    return 0;
  } catch (error) {
    io.stderr.write(`murmuration export: ${explain(error)}\n`);
    return 1;
  }
}

interface ExportFlags {
  readonly from: string;
  readonly format: "hf" | "gguf";
  readonly type: "f32" | "f16";
  readonly out: string;
}

function parseFlags(args: readonly string[]): ExportFlags | "help" {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { format: text, type: text, out: text, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return "help";
  const { format, type = "f32", out } = values;
  const [from, ...more] = positionals;
  if (from === undefined || more.length > 0) throw new ExportError("name one data directory or URL");
  if (format !== "hf" && format !== "gguf") throw new ExportError("--format is hf or gguf");
  if (type !== "f32" && type !== "f16") throw new ExportError("--type is f32 or f16");
  if (type === "f16" && format === "hf") throw new ExportError("--type is for --format gguf");
  if (out === undefined) throw new ExportError("--out says where to write");
  return { from, format, type, out };
}

function load(from: string, stderr: Writer): Promise<ExportedModel> {
  const server = serverTyped(from);
  return server === undefined ? readDirectory(from, stderr) : fetchModel(server, fetch);
}

async function readDirectory(directory: string, stderr: Writer): Promise<ExportedModel> {
  // Opening an empty directory would begin a run there.
  if ((await kindOf(directory)) !== "ours") throw new ExportError(`there is no run in ${directory}`);
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

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function explain(error: unknown): string {
  if (error instanceof LockedError) {
    return `${error.message}; or export from its address, e.g. http://localhost:8080`;
  }
  return lineOf(error);
}
