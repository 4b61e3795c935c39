import { existsSync, globSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { language } from "../client/language/current.ts";
import { isLanguage, LANGUAGES, type Language } from "../client/language/languages.ts";

/** Every catalogue says the same in every language: the compiler sees to the keys, this to the values within the texts. */
const root = join(import.meta.dirname, "..");
const folders = globSync("client/**/strings/en.ts", { cwd: root }).map(dirname).sort();
const tags = Object.keys(LANGUAGES).filter(isLanguage);

type Entry = string | ((...values: unknown[]) => string) | { readonly [key: string]: Entry };

/** A catalogue's texts by their paths: "phase.waiting". */
function flat(
  words: Entry,
  path = "",
): Map<string, Exclude<Entry, object> | ((...values: unknown[]) => string)> {
  if (typeof words === "string" || typeof words === "function") return new Map([[path, words]]);
  return new Map(
    Object.entries(words).flatMap(([key, word]) => [...flat(word, path === "" ? key : `${path}.${key}`)]),
  );
}

/** A value that every text takes, and others, each of which says something else to some of them. */
const VALUE = 7;
const OTHERS = [4_200_000, 1, 0, "", undefined, null];
/** Texts that take an object: two of them. */
const OBJECTS: Readonly<Record<string, readonly [unknown, unknown]>> = {
  intermediary: [
    { kind: "gateway", status: 502 },
    { kind: "page", status: 418 },
  ],
  meaning: [
    { version: 7, place: 2, of: 3, share: 0.5 },
    { version: 8, place: 5, of: 9, share: 0.25 },
  ],
};

/** Which of its values a text heeds: for each parameter and each other value, whether the text is then another. */
function heeds(name: string, word: (...values: unknown[]) => string, count: number): string[] {
  const [value, ...others] = OBJECTS[name] ?? [VALUE, ...OTHERS];
  const values = Array.from({ length: count }, () => value);
  const usual = say(word, values);
  return values.flatMap((_, at) =>
    others.map((other) => {
      const now = say(word, values.with(at, other));
      return now === undefined ? "refuses" : now === usual ? "same" : "differs";
    }),
  );
}

/** A text with these values; undefined where one is of the wrong kind for it. */
function say(word: (...values: unknown[]) => string, values: readonly unknown[]): string | undefined {
  try {
    return word(...values);
  } catch {
    return undefined;
  }
}

async function wordsOf(folder: string, tag: Language): Promise<ReturnType<typeof flat>> {
  const file = join(root, folder, `${tag}.ts`);
  expect(existsSync(file), `${folder} in ${tag}`).toBe(true);
  const { words }: { words: Entry } = await import(pathToFileURL(file).href);
  return flat(words);
}

/** Parameters that a function is called with at most: those with a default are not in its length. */
const MAX_VALUES = 4;

describe.each(folders)("%s", (folder) => {
  let english: ReturnType<typeof flat>;
  beforeAll(async () => {
    language.value = "en";
    english = await wordsOf(folder, "en");
  });

  it.each(tags)("has the same texts with the same values within in %s", async (tag) => {
    const words = await wordsOf(folder, tag);
    expect([...words.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [path, word] of words) {
      const model = english.get(path);
      expect(typeof word, path).toBe(typeof model);
      if (typeof word === "function" && typeof model === "function") {
        const name = basename(path.replaceAll(".", "/"));
        language.value = "en";
        const wanted = heeds(name, model, MAX_VALUES);
        language.value = tag;
        const found = heeds(name, word, MAX_VALUES);
        // English writes some numbers by itself, and refuses what is none.
        expect(
          found.map((one, i) => (wanted[i] === "refuses" ? "refuses" : one)),
          path,
        ).toEqual(wanted);
      } else expect(String(word).trim(), path).not.toBe("");
    }
  });
});

it("is of all catalogues, the pages' six at least", () => {
  expect(folders.length).toBeGreaterThanOrEqual(6);
});

it("the control: a translation that leaves out a value, or a case, is found, and another order of words is not", () => {
  const model = (run: unknown, host: unknown) => `Help ${run}${host === "" ? "" : ` at ${host}`}`;
  const found = (word: typeof model) => heeds("title", word, 2);
  expect(found((run) => `Hilf ${run}`)).not.toEqual(found(model));
  expect(found((run, host) => `${host === "" ? "" : `Bei ${host}: `}hilf ${run}`)).toEqual(found(model));
});
