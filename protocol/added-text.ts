import { as, asArray, asBoolean, asInteger, asNumber, asObject, asText, type Json } from "./guards.ts";
import { parseTextWork, type SetupState } from "./setup.ts";

/** Messages between the operator's page and a server with a run, about more text for it (rule O8). */

/** How often a text comes in an epoch, at most and at least. */
export const MAX_WEIGHT = 100;
export const MIN_WEIGHT = 0.01;
/** Characters of an address that text is fetched from. */
export const MAX_URL_CHARS = 2_000;
/** Texts that a run lists, the newest. */
const MAX_LISTED = 100;

/** Text that is asked to come in. */
export interface TextOrder {
  /** The uploaded file, or an address that the server is to fetch it from. */
  readonly from: "upload" | { readonly url: string };
  readonly weight: number;
  /** Whether passages that the run's text has already come in again. */
  readonly duplicates: "keep" | "drop";
}

export function parseTextOrder(json: Json): TextOrder {
  return {
    from:
      json.from === "upload"
        ? "upload"
        : { url: asText(asObject(json.from, "from").url, "url", MAX_URL_CHARS) },
    weight: asNumber(json.weight, "weight", MIN_WEIGHT, MAX_WEIGHT),
    duplicates: as(
      (value): value is "keep" | "drop" => value === "keep" || value === "drop",
      json.duplicates,
      "duplicates",
    ),
  };
}

/** A text that was added. */
export interface AddedSummary {
  /** Its files' names. */
  readonly name: string;
  readonly bytes: number;
  readonly tokens: number;
  /** Passages that came before. */
  readonly duplicates: number;
  /** It comes in at the next version's boundary. */
  readonly waits: boolean;
}

/** How adding text to a run goes. */
export interface TextState extends Omit<SetupState, "corpus"> {
  /** In their order, the newest few. */
  readonly texts: readonly AddedSummary[];
}

/** Reads `GET …/founding` of a server that has a run. Throws `bad-request`. */
export function parseTextState(json: Json): TextState {
  return {
    ...parseTextWork(json),
    texts: asArray(json.texts, "texts", MAX_LISTED).map((value) => {
      const text = asObject(value, "texts[]");
      return {
        name: asText(text.name, "texts[].name", MAX_URL_CHARS),
        bytes: count(text.bytes, "texts[].bytes"),
        tokens: count(text.tokens, "texts[].tokens"),
        duplicates: count(text.duplicates, "texts[].duplicates"),
        waits: asBoolean(text.waits, "texts[].waits"),
      };
    }),
  };
}

const count = (value: unknown, field: string) => asInteger(value, field, 0, Number.MAX_SAFE_INTEGER);
