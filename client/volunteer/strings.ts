import { catalogue } from "../language/catalogue.ts";
import type { VolunteerWords } from "./strings/en.ts";

/** Everything that the volunteer's pages say, in the language of the page. */
export const [text, volunteerStrings] = catalogue<VolunteerWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
  fr: () => import("./strings/fr.ts"),
  es: () => import("./strings/es.ts"),
  "pt-BR": () => import("./strings/pt-BR.ts"),
  ja: () => import("./strings/ja.ts"),
  "zh-Hans": () => import("./strings/zh-Hans.ts"),
});
