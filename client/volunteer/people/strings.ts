import { catalogue } from "../../language/catalogue.ts";
import type { PeopleWords } from "./strings/en.ts";

/** Strings about names and data, in the language of the page. */
export const [words, peopleStrings] = catalogue<PeopleWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
});
