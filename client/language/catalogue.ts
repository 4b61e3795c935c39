import { signal } from "@preact/signals";
import { type Language, PSEUDO, type Tongue } from "./languages.ts";

/**
 * The shape of a catalogue, from the English one: the same keys, any text. A translation of this type that lacks a string
 * is refused by the compiler, as is one that has too many.
 */
export type Words<T> = T extends (...values: infer A) => string
  ? (...values: A) => string
  : T extends string
    ? string
    : { readonly [K in keyof T]: Words<T[K]> };

/** Strings of one part of the pages, in one language at a time. */
export interface Catalogue {
  /** Fetches a language's strings; what it resolves to puts them in place. Rejects where they do not come. */
  load(tongue: Tongue): Promise<() => void>;
}

export interface CatalogueOf<T> extends Catalogue {
  /** Puts strings in place that are here already. */
  put(words: T): void;
}

type Loaders<T> = Readonly<Record<Language, () => Promise<{ readonly words: T }>>>;

/**
 * A catalogue whose languages are chunks of their own, and its strings of the language that was put in place last. A view
 * that reads one of them is shown again in the next language, as with any signal. None may be read before the first.
 */
export function catalogue<T extends object>(
  languages: Loaders<T>,
): readonly [words: T, strings: CatalogueOf<T>] {
  const now = signal<T | undefined>(undefined);
  const words = new Proxy<Partial<T>>({}, { get: (_, key) => Reflect.get(now.value ?? {}, key) });
  const put = (next: T) => {
    now.value = next;
  };
  return [
    words as T,
    {
      put,
      async load(tongue) {
        if (tongue === PSEUDO) {
          const [{ pseudo }, { words: en }] = await Promise.all([import("./pseudo.ts"), languages.en()]);
          return () => put(pseudo(en));
        }
        const found = await languages[tongue]();
        return () => put(found.words);
      },
    },
  ];
}
