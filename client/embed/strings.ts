/** The few texts of the button that the loader puts on a site's page. All languages are in it: it is one file. */
export interface ButtonWords {
  readonly label: string;
  readonly note: (host: string) => string;
  readonly insecure: string;
  readonly sandboxed: string;
  readonly blocked: string;
}

const ENGLISH: ButtonWords = {
  label: "Help train a language model",
  note: (host) => `Runs in your browser, for ${host}. It asks first.`,
  insecure: "Training needs https.",
  sandboxed: "Training cannot run in a sandboxed frame.",
  blocked: "It could not be loaded on this page.",
};

/** By language; where one has two scripts, in the one that client/language/ has. */
const WORDS: Readonly<Record<string, ButtonWords>> = {
  de: {
    label: "Ein Sprachmodell trainieren helfen",
    note: (host) => `Läuft in deinem Browser, für ${host}. Fragt dich zuerst.`,
    insecure: "Das Training braucht https.",
    sandboxed: "In einem abgeschotteten Rahmen kann nicht trainiert werden.",
    blocked: "Das konnte auf dieser Seite nicht geladen werden.",
  },
  en: ENGLISH,
};

/** Its language: the first of a list of tags that we have, as client/language/ chooses, which no npm entry can import. */
export function buttonLanguage(tags: readonly unknown[]): string {
  for (const tag of tags) {
    const [, language = ""] =
      typeof tag === "string" ? (/^(\w+)(?!.*-(?:hant|tw|hk|mo)\b)/i.exec(tag) ?? []) : [];
    if (Object.keys(WORDS).includes(language.toLowerCase())) return language.toLowerCase();
  }
  return "en";
}

/** The button's language and its texts: `wished` is the site's, if it names one, before the visitor's. */
export function buttonWords(wished: string | null): readonly [tag: string, words: ButtonWords] {
  const tag = buttonLanguage([wished, ...navigator.languages]);
  return [tag, WORDS[tag] ?? ENGLISH];
}
