import { catalogue } from "../../language/catalogue.ts";
import type { PersonWords } from "./strings/en.ts";

/** Strings of a person's page, in the language of the page. */
export const [words, personStrings] = catalogue<PersonWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
  es: () => import("./strings/es.ts"),
  fr: () => import("./strings/fr.ts"),
  ja: () => import("./strings/ja.ts"),
  "pt-BR": () => import("./strings/pt-BR.ts"),
  "zh-Hans": () => import("./strings/zh-Hans.ts"),
});
