import { catalogue } from "../language/catalogue.ts";
import type { CommonWords } from "./strings/en.ts";

/** Strings that several applications share, in the language of the page. */
export const [common, commonStrings] = catalogue<CommonWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
});
