import { expect, it } from "vitest";
import { chooseLanguage, LANGUAGES } from "../language/languages.ts";
import { buttonLanguage } from "./strings.ts";

const base = (tag: string) => new Intl.Locale(tag).language;

it("the button has every language of the pages", () => {
  for (const tag of Object.keys(LANGUAGES)) expect(buttonLanguage([tag])).toBe(base(tag));
});

it("a visitor's button is in the language of the frame that it opens", () => {
  const tags = [
    "de-AT",
    "en-US",
    "fr-CA",
    "es-419",
    "pt-PT",
    "ja-JP",
    "zh-CN",
    "zh-SG",
    "zh-Hans-HK",
    "zh",
    "nl",
    "DE",
  ];
  for (const tag of [...tags, "zh-TW", "zh-HK", "zh-Hant-TW", "C", "en_US", "", "-", null, 7]) {
    expect(buttonLanguage([tag, "de"]), String(tag)).toBe(base(chooseLanguage([tag, "de"])));
  }
});
