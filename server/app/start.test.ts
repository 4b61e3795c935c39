import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { initialWeights } from "../../model/contract/init.ts";
import { huggingFaceFiles } from "../../model/export/hugging-face.ts";
import { type FileTensor, readTensors } from "../../model/export/safetensors-file.ts";
import { prose } from "../../test/corpus-fixture.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { verifyDirectory } from "../cli/verify.ts";
import { addCorpus } from "../corpus/add.ts";
import { exportOf, toHuggingFace } from "../export/model.ts";
import { parseSettings, SettingsError } from "../run/settings.ts";
import { openDirectory } from "./open-directory.ts";
import { readStart } from "./start-folder.ts";

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
  const start = from === undefined ? undefined : () => readStart(from);
  const given = settings && parseSettings(settings);
  return openDirectory(at, { settings: given, log: silentLog, stderr: quiet, start });
}

/** Opens, and takes the model out again. */
async function weightsOf(...args: Parameters<typeof open>): Promise<Uint8Array | undefined> {
  const { run, close } = await open(...args);
  if (run === undefined) throw new Error("there is no run");
  const model = exportOf(run);
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
  const own = join(await folder("own", 7), "tokenizer.json");
  await writeFile(own, `${await readFile(own, "utf8")} `);
  await expect(open(join(directory, "own"))).rejects.toThrow(/another tokenizer/);
  await expect(readStart(join(directory, "none"))).rejects.toThrow(SettingsError);
});

it("takes a vocabulary with spare rows, as of nanoGPT's multiple of 64, opens it again, verifies it, and gives it back to the bit", async () => {
  const from = await folder("padded", 7, { vocabulary: 320 });
  const given = new Uint8Array(await readFile(join(from, "model.safetensors")));
  expect(await weightsOf(from)).toEqual(given);
  await rm(from, { recursive: true });
  expect(await weightsOf()).toEqual(given);
  const { run, close } = await open();
  expect(run?.manifest().model.vocabulary).toBe(320);
  await close();
  expect((await verifyDirectory(data)).version).toBe(0);
});

it("reads weights that lie in several files, and refuses an index that leads out of its folder", async () => {
  const from = await folder("sharded", 7);
  const given = new Uint8Array(await readFile(join(from, "model.safetensors")));
  const tensors = readTensors(given, "model.safetensors");
  const names = [...tensors.keys()];
  const parts = {
    "model-00001-of-00002.safetensors": names.slice(0, 3),
    "model-00002-of-00002.safetensors": names.slice(3),
  };
  const map: Record<string, string> = {};
  for (const [file, held] of Object.entries(parts)) {
    await writeFile(
      join(from, file),
      safetensors(held.map((name) => [name, "F32", tensors.get(name)!] as const)),
    );
    for (const name of held) map[name] = file;
  }
  await rm(join(from, "model.safetensors"));
  const index = join(from, "model.safetensors.index.json");
  await writeFile(index, JSON.stringify({ metadata: {}, weight_map: { ...map, x: "../../etc/passwd" } }));
  await expect(readStart(from)).rejects.toThrow(/does not say which files/);
  await writeFile(index, JSON.stringify({ metadata: {}, weight_map: map }));
  expect(await weightsOf(from)).toEqual(given);
  await rm(join(from, "model-00002-of-00002.safetensors"));
  await expect(readStart(from)).rejects.toThrow(/has no model-00002-of-00002\.safetensors/);
});

it("reads f64, and names a type that it does not read", async () => {
  const from = await folder("wide", 7);
  const file = join(from, "model.safetensors");
  const given = await readStart(from);
  const tensors = [...readTensors(await readFile(file), "model.safetensors")];
  await writeFile(file, safetensors(tensors.map(([name, tensor]) => [name, "F64", tensor] as const)));
  expect((await readStart(from)).weights).toEqual(given.weights);
  await writeFile(file, safetensors(tensors.map(([name, tensor]) => [name, "I8", tensor] as const)));
  await expect(readStart(from)).rejects.toThrow(
    /wte\.weight is stored as I8, and f64, f32, f16 and bf16 are read/,
  );
});

/** A safetensors file of these tensors, in this type. */
function safetensors(
  tensors: readonly (readonly [name: string, type: "F32" | "F64" | "I8", tensor: FileTensor])[],
): Uint8Array {
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, type, { sides, values }] of tensors) {
    const kind = { F32: Float32Array, F64: Float64Array, I8: Int8Array }[type];
    const bytes = new Uint8Array(kind.from(values()).buffer);
    header[name] = { dtype: type, shape: sides, data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return new Uint8Array(Buffer.concat([length, json, ...parts]));
}

it.each([
  ["GPT-2 medium", { n_layer: 24, n_embd: 1_024, n_head: 16 }, "354,823,168"],
  ["GPT-2 small with twice the layers", { n_layer: 24, n_embd: 768, n_head: 12 }, "209,494,272"],
])("refuses %s by its config alone, with the bound and what it rests on", async (_, size, parameters) => {
  const from = join(directory, "large");
  await mkdir(from);
  const config = { model_type: "gpt2", vocab_size: 50_257, n_positions: 1_024, ...size };
  await writeFile(join(from, "config.json"), JSON.stringify(config)); // no weights are there, and none are asked for
  await expect(readStart(from)).rejects.toThrow(
    new RegExp(`${parameters} parameters, and a run may have 167,772,160: .*4 GiB.*MAX_PARAMETERS`),
  );
});

it.each([
  [
    "only PyTorch's pickle",
    { "pytorch_model.bin": "PK\u0003\u0004" },
    /only pytorch_model\.bin, which is PyTorch's pickle.*save_pretrained/,
  ],
  ["only a GGUF", { "gpt2.gguf": "GGUF" }, /only gpt2\.gguf, which is a GGUF/],
  ["only a checkpoint", { "ckpt.pt": "" }, /only ckpt\.pt, which is a checkpoint/],
  ["nothing", {}, /has no model\.safetensors$/],
  [
    "a Git LFS pointer",
    { "model.safetensors": "version https://git-lfs.github.com/spec/v1\noid x" },
    /model\.safetensors is no safetensors file: it is a Git LFS pointer.*git lfs pull/,
  ],
  ["a GGUF under its name", { "model.safetensors": "GGUF\u0003" }, /it is a GGUF/],
  [
    "a file cut short",
    { "model.safetensors": "\u00ff\u0000\u0000\u0000\u0000\u0000\u0000\u0000{}" },
    /cut short/,
  ],
])("names weights that are %s for what they are", async (_, files, why) => {
  const from = await folder("other", 7);
  await rm(join(from, "model.safetensors"));
  for (const [name, text] of Object.entries(files))
    await writeFile(join(from, name), Buffer.from(text, "latin1"));
  await expect(readStart(from)).rejects.toThrow(why);
});

it("names a tokenizer of the older form, and a --from that is no folder", async () => {
  const from = await folder("old", 7);
  await rm(join(from, "tokenizer.json"));
  await writeFile(join(from, "vocab.json"), "{}");
  await expect(readStart(from)).rejects.toThrow(/no tokenizer\.json, only the older vocab\.json/);
  await expect(readStart("gpt2")).rejects.toThrow(/--from gpt2: there is no such folder.*hf download/);
  const file = join(directory, "model.gguf");
  await writeFile(file, "GGUF");
  await expect(readStart(file)).rejects.toThrow(/it is a GGUF/);
});
