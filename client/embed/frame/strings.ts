import { catalogue } from "../../language/catalogue.ts";
import type { FrameWords } from "./strings/en.ts";

/** The texts of the volunteer in another site's page, in the language of the page. */
export const [words, frameStrings] = catalogue<FrameWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
});
