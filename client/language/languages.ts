/** The languages that visitors' pages speak, each by its own name, in the order of the switch. */
export const LANGUAGES = {
  de: "Deutsch",
  en: "English",
  es: "Español",
  fr: "Français",
  "pt-BR": "Português (Brasil)",
  ja: "日本語",
  "zh-Hans": "简体中文",
} as const;

export type Language = keyof typeof LANGUAGES;

/**
 * A language that nobody speaks: English made long and written from right to left. It is in no switch; what is kept as the
 * visitor's choice names it in tests, and for whoever looks whether a page bears such a language.
 */
export const PSEUDO = "ar-XB";

export type Tongue = Language | typeof PSEUDO;

export const isLanguage = (tag: unknown): tag is Language =>
  typeof tag === "string" && Object.hasOwn(LANGUAGES, tag);

/**
 * The first of a visitor's languages that we have; English where none is. A region does not matter, a script does: who
 * reads traditional Chinese is not served simplified. The tags are a stranger's: what is no tag is passed over.
 */
export function chooseLanguage(tags: readonly unknown[]): Language {
  for (const tag of tags) {
    const wanted = scriptOf(tag);
    const found = wanted && Object.keys(LANGUAGES).find((ours) => scriptOf(ours) === wanted);
    if (isLanguage(found)) return found;
  }
  return "en";
}

/** A tag's language and script: "zh-TW" → "zh-Hant". */
function scriptOf(tag: unknown): string | undefined {
  try {
    if (typeof tag !== "string") return undefined;
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script}`;
  } catch {
    return undefined; // `C`, `en-US@posix`
  }
}

/** The locale that numbers, dates and plurals are written in. */
export const localeOf = (tongue: Tongue): string => (tongue === "en" ? "en-GB" : tongue);

export const directionOf = (tongue: Tongue): "ltr" | "rtl" => (tongue === PSEUDO ? "rtl" : "ltr");
