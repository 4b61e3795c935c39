import { catalogue } from "../language/catalogue.ts";
import type { LobbyWords } from "./strings/en.ts";

/** The strings of the first page of a server of several runs, in the language of the page. */
export const [text, lobbyStrings] = catalogue<LobbyWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
  es: () => import("./strings/es.ts"),
  fr: () => import("./strings/fr.ts"),
  ja: () => import("./strings/ja.ts"),
  "pt-BR": () => import("./strings/pt-BR.ts"),
  "zh-Hans": () => import("./strings/zh-Hans.ts"),
});
