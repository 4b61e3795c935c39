import { catalogue } from "../language/catalogue.ts";
import type { CommonWords } from "./strings/en.ts";

/** Strings that several applications share, in the language of the page. */
export const [common, commonStrings] = catalogue<CommonWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
  fr: () => import("./strings/fr.ts"),
  es: () => import("./strings/es.ts"),
  "pt-BR": () => import("./strings/pt-BR.ts"),
  ja: () => import("./strings/ja.ts"),
  "zh-Hans": () => import("./strings/zh-Hans.ts"),
});
