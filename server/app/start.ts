import { join } from "node:path";
import { layoutOf } from "../../model/contract/layout.ts";
import { encodeSafetensors } from "../../model/data/safetensors.ts";
import { readTensors } from "../../model/export/safetensors-file.ts";
import type { RunCorpus, TaskFactory } from "../run/options.ts";
import { DEFAULT_SETTINGS, type Settings, SettingsError, withModel } from "../run/settings.ts";
import { type Store, StoreError } from "../store/store.ts";
import { type Start, TOKENIZER_FILE } from "./start-folder.ts";

/** Version 0 of a run that did not begin with drawn weights, so that it can be had again without the folder. */
const START_FILE = "start.safetensors";

export const tokenizerOf = ({ folder }: Start): string => join(folder, TOKENIZER_FILE);

/** The settings of a run that begins so. Throws a SettingsError where those given are another model's. */
export function startSettings(given: Settings | undefined, { shape, folder }: Start): Settings {
  const settings = given ?? DEFAULT_SETTINGS;
  const { vocabulary, ...model } = shape;
  const differs = (other: Settings["model"]) =>
    Object.entries(model).some(([key, value]) => other[key as keyof typeof model] !== value);
  if (differs(settings.model) && !isDefault(settings.model)) {
    throw new SettingsError(`"model" is not that of ${folder}; leave it out of the run file`);
  }
  return withModel(settings, model);
}

/** Throws a SettingsError where the corpus is in other tokens than the model's. */
export function requireSameTokens(start: Start, corpus: RunCorpus): void {
  if (Buffer.from(corpus.tokenizer).equals(start.tokenizer)) return;
  throw new SettingsError(
    `the corpus has another tokenizer; make it with corpus add --tokenizer ${tokenizerOf(start)}`,
  );
}

const isDefault = (model: Settings["model"]): boolean =>
  Object.entries(DEFAULT_SETTINGS.model).every(([key, value]) => model[key as keyof typeof model] === value);

/** The task and the corpus of a run that begins with a given model. */
export interface Begun {
  /** Its version 0 is that model. */
  readonly task: TaskFactory;
  /** With as many tokens as the model has rows for: no text holds those that its tokenizer lacks. */
  readonly corpus: RunCorpus;
}

/**
 * The task and the corpus of a run that began, or now begins, with the model in `start`; as they are for one that did
 * not. Throws a SettingsError when the run in the store began otherwise than `start` says.
 */
export async function begunWith(
  store: Store,
  start: Start | undefined,
  taskOf: TaskFactory,
  corpus: RunCorpus,
): Promise<Begun> {
  const rows = await rowsOf(store, start);
  if (rows === undefined) return { task: taskOf, corpus };
  // Read again where it is asked for, and not kept: that is once in a run's life, and the file is as large as the model.
  const file = async () => {
    const stored = await store.get("run", START_FILE);
    if (stored === undefined) throw new StoreError(`${START_FILE} is gone`);
    return stored;
  };
  return {
    corpus: { ...corpus, vocabulary: Math.max(rows, corpus.vocabulary) },
    task: (settings, vocabulary) => {
      const task = taskOf(settings, vocabulary);
      return { ...task, initial: async () => task.decode(await file()) };
    },
  };
}

/** Rows of the token table that the run began with, which is stored first where `start` is a new run's; undefined where it began with none. */
async function rowsOf(store: Store, start: Start | undefined): Promise<number | undefined> {
  const file = start && encodeSafetensors(layoutOf(start.shape), start.weights);
  if (file !== undefined && store.length === 0) await store.put("run", START_FILE, file);
  const stored = await store.get("run", START_FILE);
  if (file !== undefined && (stored === undefined || Buffer.compare(stored, file) !== 0)) {
    throw new SettingsError("the run in this directory did not begin with the model of --from");
  }
  return stored && (readTensors(stored, START_FILE).get("wte.weight")?.sides[0] ?? 0);
}
