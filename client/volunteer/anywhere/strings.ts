import { catalogue } from "../../language/catalogue.ts";
import type { AnywhereWords } from "./strings/en.ts";

/** Strings about being moved to where one helps most, in the language of the page. */
export const [words, anywhereStrings] = catalogue<AnywhereWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
  es: () => import("./strings/es.ts"),
  fr: () => import("./strings/fr.ts"),
  ja: () => import("./strings/ja.ts"),
  "pt-BR": () => import("./strings/pt-BR.ts"),
  "zh-Hans": () => import("./strings/zh-Hans.ts"),
});
