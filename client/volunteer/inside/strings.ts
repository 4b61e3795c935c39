import { catalogue } from "../../language/catalogue.ts";
import type { InsideWords } from "./strings/en.ts";

/** The texts of the look inside, in the language of the page. */
export const [words, insideStrings] = catalogue<InsideWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
});
