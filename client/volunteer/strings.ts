import { catalogue } from "../language/catalogue.ts";
import type { VolunteerWords } from "./strings/en.ts";

/** Everything that the volunteer's pages say, in the language of the page. */
export const [text, volunteerStrings] = catalogue<VolunteerWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
});
