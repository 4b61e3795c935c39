import { effect } from "@preact/signals";
import { beforeEach, expect, it } from "vitest";
import { catalogue } from "./catalogue.ts";
import { fetchWords, firstLanguage, keepLanguage, language, speak } from "./current.ts";
import { PSEUDO } from "./languages.ts";

interface Greeting {
  readonly hello: string;
  readonly to: (name: string) => string;
}

const german: Greeting = { hello: "Hallo", to: (name) => `Hallo ${name}` };
const english: Greeting = { hello: "Hello", to: (name) => `Hello ${name}` };

/** A catalogue whose German comes when `send` is called, or not if `fail` is; asked again it comes at once. */
function slow() {
  let send = () => {};
  let fail = () => {};
  let asked = false;
  const made = catalogue<Greeting>({
    ...others,
    de: async () => {
      if (asked) return { words: german };
      asked = true;
      return new Promise((resolve, reject) => {
        send = () => resolve({ words: german });
        fail = () => reject(new Error("blocked"));
      });
    },
  });
  return { made, send: () => send(), fail: () => fail() };
}
/** Of most languages these tests say nothing: they are English here. */
const inEnglish = async () => ({ words: english });
const others = {
  ...{ en: inEnglish, es: inEnglish, fr: inEnglish, ja: inEnglish, "pt-BR": inEnglish, "zh-Hans": inEnglish },
  de: async () => ({ words: german }),
};

const memory = () => {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
};

beforeEach(() => speak("en"));

it("a view that read a string shows the next language, and no view mixes two", async () => {
  const [one, oneStrings] = catalogue<Greeting>(others);
  const [two, twoStrings] = catalogue<Greeting>(others);
  await speak("en", [oneStrings, twoStrings]);
  const seen: string[] = [];
  const end = effect(() => void seen.push(`${one.hello} ${two.to("Ann")} ${language.value}`));
  await speak("de");
  end();
  expect(seen).toEqual(["Hello Hello Ann en", "Hallo Hallo Ann de"]);
});

it("a language whose strings do not come leaves everything as it is", async () => {
  const whole = catalogue<Greeting>(others);
  const { made, fail } = slow();
  await speak("en", [whole[1], made[1]]);
  const change = speak("de");
  fail();
  await expect(change).rejects.toThrow("blocked");
  expect([whole[0].hello, made[0].hello, language.value]).toEqual(["Hello", "Hello", "en"]);
});

it("of two changes the last counts, whichever comes first", async () => {
  const { made, send } = slow();
  await speak("en", [made[1]]);
  const first = speak("de");
  await speak("en");
  send();
  await first;
  expect([made[0].hello, language.value]).toEqual(["Hello", "en"]);
});

it("strings of a part that comes later are in the language that the page has when they are there", async () => {
  const { made, send } = slow();
  await speak("en");
  await fetchWords(made[1]);
  expect(made[0].hello).toBe("Hello");
  const change = speak("de");
  send();
  await change;
  expect(made[0].hello).toBe("Hallo");
});

it("a part that comes while the language changes does not stay in the one before", async () => {
  const { made, send } = slow();
  const [part, partStrings] = catalogue<Greeting>(others);
  await speak("en", [made[1]]);
  const change = speak("de");
  await fetchWords(partStrings);
  expect(part.hello).toBe("Hello");
  send();
  await change;
  expect([made[0].hello, part.hello]).toEqual(["Hallo", "Hallo"]);
});

it("the pseudo-locale is English, longer, with the values within", async () => {
  const [words, strings] = catalogue<Greeting>(others);
  await speak(PSEUDO, [strings]);
  expect(words.to("Ann")).toMatch(/^[\u0600-\u06ff ]+ Hello Ann [\u0600-\u06ff ]+$/);
  expect(words.hello.length).toBeGreaterThan(1.6 * "Hello".length);
});

it("a visitor's own choice stands before the browser's languages, and anything else kept counts as none", () => {
  const storage = memory();
  expect(firstLanguage(storage, ["de"])).toBe("de");
  keepLanguage(storage, "en");
  expect(firstLanguage(storage, ["de"])).toBe("en");
  storage.kept.set("murmuration-language", "constructor");
  expect(firstLanguage(storage, ["de"])).toBe("de");
  keepLanguage(storage, undefined);
  expect(storage.kept.size).toBe(0);
  const denied = {
    getItem: () => {
      throw new Error("denied");
    },
    setItem: () => {
      throw new Error("full");
    },
    removeItem: () => {},
  };
  expect(firstLanguage(denied, ["de"])).toBe("de");
  expect(() => keepLanguage(denied, "de")).not.toThrow();
});
