import { expect, it } from "vitest";
import { chooseLanguage, directionOf, LANGUAGES, localeOf, PSEUDO } from "./languages.ts";

it.each([
  [["de-CH", "en"], "de"],
  [["nl", "de"], "de"],
  [["en-US", "de"], "en"],
  [["nl", "cy"], "en"],
  [["pt-PT", "es"], "pt-BR"],
  [["es-419"], "es"],
  [["zh-CN"], "zh-Hans"],
  [["zh"], "zh-Hans"],
  [["zh-TW", "ja"], "ja"],
  [["zh-Hant-HK"], "en"],
  [[], "en"],
])("of %j a visitor gets %s", (tags, chosen) => expect(chooseLanguage(tags)).toBe(chosen));

it.each([["C"], ["en-US@posix"], [""], ["constructor"], ["__proto__"], [null], [7], ["x".repeat(1_000_000)]])(
  "what is no tag is passed over",
  (tag) => expect(chooseLanguage([tag, "de"])).toBe("de"),
);

it("every language has a locale that Intl knows, and is written from left to right; the pseudo-locale is not", () => {
  for (const tag of Object.keys(LANGUAGES)) {
    expect(Intl.NumberFormat.supportedLocalesOf(tag)).toEqual([tag]);
    expect(chooseLanguage([tag])).toBe(tag);
  }
  expect(localeOf("en")).toBe("en-GB");
  expect(directionOf("de")).toBe("ltr");
  expect(directionOf(PSEUDO)).toBe("rtl");
});
