import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ModelError, type ModelShape } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { otherForm } from "../../model/export/forms.ts";
import {
  fromHuggingFace,
  type NamedFile,
  type ReadModel,
  SAFETENSORS_INDEX,
  shapeOf,
  shardsOf,
} from "../../model/export/from-hugging-face.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { MAX_PARAMETERS, MAX_VOCABULARY, MIN_VOCABULARY } from "../../protocol/limits.ts";
import { parseSettings, SettingsError } from "../run/settings.ts";

const CONFIG_FILE = "config.json";
const WEIGHTS_FILE = "model.safetensors";
export const TOKENIZER_FILE = "tokenizer.json";

/** A model to begin a run with, from a folder of Hugging Face's files. */
export interface Start extends ReadModel {
  readonly folder: string;
  /** tokenizer.json. */
  readonly tokenizer: Uint8Array;
}

/**
 * Reads `serve --from FOLDER`, what is quick to refuse first: its size, before its weights and long before a corpus.
 * Throws a ModelError, or a SettingsError for a file that is not there or a model that no run may have.
 */
export async function readStart(folder: string): Promise<Start> {
  const names = await namesIn(folder);
  const read = async (name: string): Promise<NamedFile> => {
    if (!names.includes(name)) throw missing(folder, name, names);
    const bytes = await readFile(join(folder, name)).catch((error: unknown) => {
      throw new SettingsError(`--from: ${join(folder, name)} cannot be read (${systemCode(error)})`);
    });
    return { name, bytes };
  };
  const shape = shapeOf((await read(CONFIG_FILE)).bytes);
  requireSize(folder, shape);
  const tokenizer = (await read(TOKENIZER_FILE)).bytes;
  requireRows(folder, shape, tokenizer);
  const files = names.includes(WEIGHTS_FILE)
    ? [WEIGHTS_FILE]
    : names.includes(SAFETENSORS_INDEX)
      ? shardsOf((await read(SAFETENSORS_INDEX)).bytes)
      : [WEIGHTS_FILE]; // which is missing: the error names it, and what is there instead
  const weights: NamedFile[] = [];
  for (const name of files) weights.push(await read(name));
  return { folder, tokenizer, ...fromHuggingFace(shape, weights) };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return readdir(folder);
  const form = found?.isFile() ? otherForm(await readFile(folder)) : undefined;
  const why = found === undefined ? "there is no such folder" : `it is ${form ?? "a file"}`;
  throw new SettingsError(
    `--from ${folder}: ${why}. It takes a folder on this machine with ${CONFIG_FILE}, ${WEIGHTS_FILE} and ` +
      `${TOKENIZER_FILE}, as \`hf download NAME --local-dir FOLDER\` makes one`,
  );
}

/** Weights of other programs, by how their files end, and what they are. */
const OTHER_WEIGHTS: readonly (readonly [RegExp, string])[] = [
  [/^pytorch_model.*\.bin(\.index\.json)?$/, "PyTorch's pickle"],
  [/\.(?:pt|pth|ckpt)$/, "a checkpoint of PyTorch's"],
  [/\.gguf$/i, "a GGUF, for llama.cpp"],
  [/\.h5$/, "TensorFlow's"],
  [/\.msgpack$/, "Flax's"],
  [/\.onnx$/, "an ONNX"],
  [/\.safetensors$/, "safetensors under another name"],
];

function missing(folder: string, name: string, names: readonly string[]): SettingsError {
  const lacks = `--from: ${folder} has no ${name}`;
  if (name === TOKENIZER_FILE && names.includes("vocab.json")) {
    return new SettingsError(
      `${lacks}, only the older vocab.json: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER) writes one`,
    );
  }
  for (const [pattern, what] of name === WEIGHTS_FILE ? OTHER_WEIGHTS : []) {
    const other = names.find((one) => pattern.test(one));
    if (other === undefined) continue;
    return new SettingsError(
      `${lacks}, only ${other}, which is ${what}: load the model with Transformers and ` +
        "save_pretrained(FOLDER), which writes safetensors",
    );
  }
  return new SettingsError(lacks);
}

/** Refuses a model that no run may have, with the bound and what it rests on. */
function requireSize(folder: string, shape: ModelShape): void {
  const { vocabulary, ...model } = shape;
  parseSettings({ model }); // the bounds of a run file
  const parameters = layoutOf(shape).length;
  if (parameters > MAX_PARAMETERS) {
    throw new SettingsError(
      `the model of ${folder} has ${count(parameters)} parameters, and a run may have ${count(MAX_PARAMETERS)}: ` +
        "the vectors that a trainer keeps of them must fit in WebAssembly's 4 GiB (MAX_PARAMETERS in protocol/limits.ts)",
    );
  }
  if (vocabulary < MIN_VOCABULARY || vocabulary > MAX_VOCABULARY) {
    throw new SettingsError(
      `the model of ${folder} has rows for ${count(vocabulary)} tokens, and a run's vocabulary has ${MIN_VOCABULARY} to ` +
        `${count(MAX_VOCABULARY)}: a token is stored in 16 bits`,
    );
  }
}

/** Spare rows, as of a vocabulary that is padded to a multiple of 64, are fine; a token without a row is not. */
function requireRows(folder: string, { vocabulary }: ModelShape, tokenizer: Uint8Array): void {
  const form = otherForm(tokenizer);
  if (form !== undefined)
    throw new ModelError("bad-file", `${TOKENIZER_FILE} is no tokenizer: it is ${form}`);
  const tokens = loadTokenizer(tokenizer).vocabulary;
  if (tokens <= vocabulary) return;
  throw new SettingsError(
    `the model of ${folder} has rows for ${vocabulary} tokens, and its tokenizer has ${tokens}`,
  );
}

const count = (value: number): string => value.toLocaleString("en-US");
