import { batch, signal } from "@preact/signals";
import type { Catalogue } from "./catalogue.ts";
import { chooseLanguage, directionOf, isLanguage, PSEUDO, type Tongue } from "./languages.ts";

const KEY = "murmuration-language";

/** The language of the page. A view that reads it is shown again in the next one. */
export const language = signal<Tongue>("en");

/** Whether there are strings by now. */
export const hasWords = signal(false);

/** Every catalogue that this page has, so that a change of language is one of all. */
const spoken = new Set<Catalogue>();
let latest = 0;

/**
 * Fetches a language's strings and then takes all of them at once, so that no page speaks two; of several such changes the
 * last counts. Rejects, and changes nothing, where a part does not come.
 */
export async function speak(next: Tongue, catalogues: readonly Catalogue[] = []): Promise<void> {
  for (const strings of catalogues) spoken.add(strings);
  latest += 1;
  const mine = latest;
  const puts = new Map<Catalogue, () => void>();
  const load = async (strings: Catalogue) => puts.set(strings, await strings.load(next));
  // A part that a page loads meanwhile comes in the language before, and is fetched in this one too.
  for (;;) {
    const missing = [...spoken].filter((strings) => !puts.has(strings));
    if (missing.length === 0) break;
    await Promise.all(missing.map(load));
  }
  if (mine !== latest) return;
  batch(() => {
    for (const put of puts.values()) put();
    language.value = next;
    hasWords.value = true;
  });
}

/** Fetches the strings of a part that a page loads later, in the language that it has by then. */
export async function fetchWords(strings: Catalogue): Promise<void> {
  const tongue = language.peek();
  const put = await strings.load(tongue);
  if (tongue !== language.peek()) return fetchWords(strings);
  spoken.add(strings);
  put();
}

/** Tells the browser, for its fonts, voices, hyphens and translators. */
export function markDocument({ documentElement }: Document, tongue: Tongue): void {
  documentElement.lang = tongue;
  documentElement.dir = directionOf(tongue);
}

type LanguageStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * What the visitor chose here before; else the first of `tags` that we have. They are the browser's languages, which it also
 * sends as Accept-Language: read here, so that a page is the same bytes for everybody and any cache may keep it.
 */
export function firstLanguage(storage: LanguageStorage | undefined, tags: readonly unknown[]): Tongue {
  const kept = keptLanguage(storage);
  return kept === PSEUDO || isLanguage(kept) ? kept : chooseLanguage(tags);
}

function keptLanguage(storage: LanguageStorage | undefined): string | null {
  try {
    return storage?.getItem(KEY) ?? null;
  } catch {
    return null;
  }
}

/** Keeps the visitor's choice for all pages of this server; undefined forgets it. */
export function keepLanguage(storage: LanguageStorage | undefined, tongue: Tongue | undefined): void {
  try {
    if (tongue === undefined) storage?.removeItem(KEY);
    else storage?.setItem(KEY, tongue);
  } catch {
    // denied or full: it lasts as long as the page
  }
}
