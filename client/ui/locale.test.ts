import { expect, it } from "vitest";
import { mendLanguage, safeLocale } from "./locale.ts";

it.each(["C", "en-US@posix", "en_GB", "", "-", undefined, null, 7])(
  "%j is no language that Intl takes, and is taken for English",
  (tag) => {
    expect(safeLocale(tag)).toBe("en-GB");
    expect(() => new Intl.NumberFormat(safeLocale(tag))).not.toThrow();
  },
);

it("a valid tag stays what it is", () => {
  expect(safeLocale("de-CH")).toBe("de-CH");
  expect(safeLocale("zh-Hant-TW")).toBe("zh-Hant-TW");
});

it("a browser's language is mended where it must be, and not touched where not", () => {
  const browser = (tag: string) =>
    Object.create({
      get language() {
        return tag;
      },
    });
  const odd = browser("en-US@posix");
  expect(() => new Intl.NumberFormat(odd.language)).toThrow(RangeError); // the control
  mendLanguage(odd);
  expect(odd.language).toBe("en-GB");
  const fine = browser("fr");
  mendLanguage(fine);
  expect(Object.getOwnPropertyNames(fine)).toEqual([]);
  expect(fine.language).toBe("fr");
});
