import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromHuggingFace, type ReadModel } from "../../model/export/from-hugging-face.ts";
import { layoutOf } from "../../model/layout.ts";
import { encodeSafetensors } from "../../model/safetensors.ts";
import type { RunCorpus, TaskFactory } from "../options.ts";
import { DEFAULT_SETTINGS, type Settings, SettingsError } from "../settings.ts";
import type { Store } from "../store/store.ts";

/** Version 0 of a run that did not begin with drawn weights, so that it can be had again without the folder. */
const START_FILE = "start.safetensors";

/** A model to begin a run with, from a folder of Hugging Face's files. */
export interface Start extends ReadModel {
  readonly folder: string;
  /** tokenizer.json. */
  readonly tokenizer: Uint8Array;
}

/** Reads `serve --from FOLDER`. Throws a ModelError, or a SettingsError for a file that is not there. */
export async function readStart(folder: string): Promise<Start> {
  const read = (name: string) =>
    readFile(join(folder, name)).catch(() => {
      throw new SettingsError(`--from: ${join(folder, name)} cannot be read`);
    });
  const config = await read("config.json");
  const tokenizer = await read(TOKENIZER_FILE);
  return { folder, tokenizer, ...fromHuggingFace(config, await read("model.safetensors")) };
}

const TOKENIZER_FILE = "tokenizer.json";

export const tokenizerOf = ({ folder }: Start): string => join(folder, TOKENIZER_FILE);

/** The settings of a run that begins so. Throws a SettingsError where they, or the corpus, are another model's. */
export function startSettings(given: Settings | undefined, start: Start, corpus: RunCorpus): Settings {
  const settings = given ?? DEFAULT_SETTINGS;
  const { vocabulary, ...model } = start.shape;
  const differs = (other: Settings["model"]) =>
    Object.entries(model).some(([key, value]) => other[key as keyof typeof model] !== value);
  if (differs(settings.model) && !isDefault(settings.model)) {
    throw new SettingsError(`"model" is not that of ${start.folder}; leave it out of the run file`);
  }
  if (!Buffer.from(corpus.tokenizer).equals(start.tokenizer)) {
    throw new SettingsError(
      `the corpus has another tokenizer; make it with corpus add --tokenizer ${tokenizerOf(start)}`,
    );
  }
  if (vocabulary !== corpus.vocabulary) {
    throw new SettingsError(
      `the model of ${start.folder} has rows for ${vocabulary} tokens, its tokenizer ${corpus.vocabulary}`,
    );
  }
  return { ...settings, model };
}

const isDefault = (model: Settings["model"]): boolean =>
  Object.entries(DEFAULT_SETTINGS.model).every(([key, value]) => model[key as keyof typeof model] === value);

/**
 * A task whose version 0 is the model that the run began with, where it began with one. Throws a SettingsError
 * when the run in the store began otherwise than `start` says.
 */
export async function taskFrom(
  store: Store,
  start: Start | undefined,
  taskOf: TaskFactory,
): Promise<TaskFactory> {
  const file = start && encodeSafetensors(layoutOf(start.shape), start.weights);
  if (file !== undefined && store.length === 0) await store.put("run", START_FILE, file);
  const stored = await store.get("run", START_FILE);
  if (file !== undefined && (stored === undefined || !Buffer.from(stored).equals(file))) {
    throw new SettingsError("the run in this directory did not begin with the model of --from");
  }
  if (stored === undefined) return taskOf;
  return (settings, vocabulary) => {
    const task = taskOf(settings, vocabulary);
    return { ...task, initial: () => task.decode(stored) };
  };
}
