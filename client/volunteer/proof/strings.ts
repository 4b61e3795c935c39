import { catalogue } from "../../language/catalogue.ts";
import type { ProofWords } from "./strings/en.ts";

/** Strings about proofs, in the language of the page. */
export const [words, proofStrings] = catalogue<ProofWords>({
  de: () => import("./strings/de.ts"),
  en: () => import("./strings/en.ts"),
});
