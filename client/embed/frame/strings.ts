import { catalogue } from "../../language/catalogue.ts";
import type { FrameWords } from "./strings/en.ts";

/** The texts of the volunteer in another site's page, in the language of the page. */
export const [words, frameStrings] = catalogue<FrameWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
  fr: () => import("./strings/fr.ts"),
  es: () => import("./strings/es.ts"),
  "pt-BR": () => import("./strings/pt-BR.ts"),
  ja: () => import("./strings/ja.ts"),
  "zh-Hans": () => import("./strings/zh-Hans.ts"),
});
