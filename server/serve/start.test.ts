import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { huggingFaceFiles } from "../../model/export/hugging-face.ts";
import { initialWeights } from "../../model/init.ts";
import { prose } from "../../test/corpus-fixture.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { addCorpus } from "../corpus/add.ts";
import { toHuggingFace } from "../export/model.ts";
import { parseSettings, SettingsError } from "../settings.ts";
import { openDirectory } from "./open-run.ts";
import { readStart } from "./start.ts";

const SHAPE = { layers: 1, heads: 2, width: 8, context: 16, vocabulary: 256 };

let directory: string;
let data: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-start-"));
  data = await corpus("data");
});
afterEach(() => rm(directory, { recursive: true }));

async function corpus(name: string): Promise<string> {
  const text = join(directory, `${name}.txt`);
  await writeFile(text, prose(60_000));
  await addCorpus({ files: [text], dataDir: join(directory, name), vocabulary: 256 });
  return join(directory, name);
}

/** A folder as another program would leave it, for the corpus's tokenizer. */
async function folder(name: string, seed: number, changes: Partial<typeof SHAPE> = {}): Promise<string> {
  const path = join(directory, name);
  await mkdir(path);
  const shape = { ...SHAPE, ...changes };
  const tokenizer = new Uint8Array(await readFile(join(data, "tokenizer.json")));
  for (const file of huggingFaceFiles(shape, initialWeights(shape, seed), tokenizer)) {
    await writeFile(join(path, file.name), file.bytes);
  }
  return path;
}

async function open(from?: string, at = data, settings?: object) {
  const quiet = { write() {} };
  const start = from === undefined ? undefined : await readStart(from);
  const given = settings && parseSettings(settings);
  return openDirectory(at, { settings: given, log: silentLog, stderr: quiet, start });
}

/** Opens, and takes the model out again. */
async function weightsOf(...args: Parameters<typeof open>): Promise<Uint8Array | undefined> {
  const { run, close } = await open(...args);
  if (run === undefined) throw new Error("there is no run");
  const model = { manifest: run.manifest(), file: run.latestSnapshot().bytes, tokenizer: run.tokenizer() };
  await close();
  return toHuggingFace(model).find(({ name }) => name === "model.safetensors")?.bytes;
}

it("a run begins with a folder's model, keeps it, and gives it back to the bit", async () => {
  const from = await folder("gpt2", 7);
  const given = new Uint8Array(await readFile(join(from, "model.safetensors")));
  expect(await weightsOf(from)).toEqual(given);
  expect(await weightsOf(from)).toEqual(given); // the same command again
  await rm(from, { recursive: true });
  expect(await weightsOf()).toEqual(given);
});

it("refuses a model that is not the run's, or not the corpus's", async () => {
  const from = await folder("gpt2", 7);
  await expect(open(from, data, { model: { layers: 3 } })).rejects.toThrow(/"model" is not that of/);
  await weightsOf(from);
  await expect(open(await folder("other", 8))).rejects.toThrow(/did not begin with the model/);
  const larger = await folder("larger", 7, { vocabulary: 300 });
  await expect(open(larger)).rejects.toThrow(/rows for 300 tokens, its tokenizer 256/);
  const own = join(larger, "tokenizer.json");
  await writeFile(own, `${await readFile(own, "utf8")} `);
  await expect(open(larger)).rejects.toThrow(/another tokenizer/);
  await expect(readStart(join(directory, "none"))).rejects.toThrow(SettingsError);
});
