import { catalogue } from "../language/catalogue.ts";
import type { WriterWords } from "./strings/en.ts";

/** The writer's strings, in the language of the page. */
export const [words, writerStrings] = catalogue<WriterWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
  es: () => import("./strings/es.ts"),
  fr: () => import("./strings/fr.ts"),
  ja: () => import("./strings/ja.ts"),
  "pt-BR": () => import("./strings/pt-BR.ts"),
  "zh-Hans": () => import("./strings/zh-Hans.ts"),
});
