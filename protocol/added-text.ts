import { count, flag, list, message, number, object, oneOf, type Reader, text } from "./schema.ts";
import { TEXT_WORK } from "./setup.ts";

/** Messages between the operator's page and a server with a run, about more text for it (rule O8). */

/** How often a text comes in an epoch, at most and at least. */
export const MAX_WEIGHT = 100;
export const MIN_WEIGHT = 0.01;
/** Characters of an address that text is fetched from. */
export const MAX_URL_CHARS = 2_000;
/** Texts that a run lists, the newest. */
const MAX_LISTED = 100;

/** The uploaded file, or an address that the server is to fetch it from. */
const source: Reader<"upload" | { readonly url: string }> = (value, field) =>
  value === "upload" ? value : object({ url: text(MAX_URL_CHARS) })(value, field);

export const parseTextOrder = message({
  from: source,
  weight: number(MIN_WEIGHT, MAX_WEIGHT),
  /** Whether passages that the run's text has already come in again. */
  duplicates: oneOf("keep", "drop"),
});
/** Text that is asked to come in. */
export type TextOrder = ReturnType<typeof parseTextOrder>;

const added = object({
  /** Its files' names. */
  name: text(MAX_URL_CHARS),
  bytes: count,
  tokens: count,
  /** Passages that came before. */
  duplicates: count,
  /** It comes in at the next version's boundary. */
  waits: flag,
});
/** A text that was added. */
export type AddedSummary = ReturnType<typeof added>;

/** Reads `GET …/founding` of a server that has a run. Throws `bad-request`. */
export const parseTextState = message({
  ...TEXT_WORK,
  /** In their order, the newest few. */
  texts: list(added, MAX_LISTED),
});
/** How adding text to a run goes. */
export type TextState = ReturnType<typeof parseTextState>;
