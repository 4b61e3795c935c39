import { asObject, asText, type Json } from "./guards.ts";
import type { Reader } from "./schema.ts";
import { asLine, isSeen, refuseText } from "./text.ts";

/**
 * What an operator says of a run, for people (rule M3): all of it text, nothing of it markup, and nothing that trains by it.
 * A field that is not said is absent.
 */
export interface RunCard {
  /** What the model is for. */
  readonly purpose?: string;
  /** More about it; its paragraphs are divided by blank lines. */
  readonly description?: string;
  /** The people behind the run. */
  readonly who?: string;
  /** An http:, https: or mailto: address. */
  readonly contact?: string;
  /** An http: or https: address. */
  readonly link?: string;
  /** ISO 639 codes of the text's languages, as "en, de". */
  readonly language?: string;
  readonly textSource?: string;
  readonly textLicence?: string;
  readonly modelLicence?: string;
}

type CardKey = keyof RunCard;

/** Characters of each field. */
export const CARD_CHARS = {
  purpose: 300,
  description: 1_500,
  who: 120,
  contact: 200,
  link: 200,
  language: 40,
  textSource: 300,
  textLicence: 80,
  modelLicence: 80,
} as const satisfies Record<CardKey, number>;

/** In the order in which people read them. */
export const CARD_KEYS = [
  "purpose",
  "description",
  "who",
  "contact",
  "link",
  "language",
  "textSource",
  "textLicence",
  "modelLicence",
] as const satisfies readonly CardKey[];

/** Paragraphs of a description. */
const MAX_PARAGRAPHS = 20;
/** Joiners between letters, without which Persian and several Indian scripts are misspelt. */
const JOINERS = /(?<=[\p{L}\p{M}])[\u200c\u200d](?=\p{L})/gu;
const MAIL = /^mailto:[^\s<>"?@]+@[^\s<>"?@]+$/;
const LANGUAGES = /^[a-z]{2,3}(?:, [a-z]{2,3}){0,7}$/;

/** A field as it is kept and shown; empty where it says nothing. Throws `bad-request`. */
export function cardField(key: CardKey, given: unknown): string {
  const field = `card.${key}`;
  const most = CARD_CHARS[key];
  if (key === "description") return paragraphs(given, field, most);
  const line = asLine(given, field, most);
  requireShown(line, field, most);
  if (line === "") return line;
  if (key === "language") {
    const codes = line.toLowerCase().split(/[, ]+/).join(", ");
    return LANGUAGES.test(codes)
      ? codes
      : refuseText(field, 'is no list of up to 8 codes of languages, as "en, de"');
  }
  if (key === "link") return addressOf(line, field, ["http:", "https:"], most);
  if (key !== "contact") return line;
  const address = /^[^\s:/@]+@[^\s:/@]+$/.test(line) ? `mailto:${line}` : line;
  return addressOf(address, field, ["http:", "https:", "mailto:"], most);
}

/** Reads a card, from an operator's page or from a server; fields that a later release has are left out. Throws `bad-request`. */
export function parseCard(json: Json): RunCard {
  const card: { -readonly [K in CardKey]?: string } = {};
  for (const key of CARD_KEYS) {
    const value = json[key] === undefined ? "" : cardField(key, json[key]);
    if (value !== "") card[key] = value;
  }
  return card;
}

/** A card within a message. */
export const card: Reader<RunCard> = (value, field) => parseCard(asObject(value, field));

/** Line breaks within a paragraph are blanks. */
function paragraphs(given: unknown, field: string, most: number): string {
  const parts = asText(given, field, most)
    .split(/(?:\r\n?|\n)\s*(?:\r\n?|\n)/)
    .map((part) => asLine(part, field, most))
    .filter((part) => part !== "");
  if (parts.length > MAX_PARAGRAPHS) refuseText(field, `has more than ${MAX_PARAGRAPHS} paragraphs`);
  for (const part of parts) requireShown(part, field, most);
  const text = parts.join("\n\n");
  if (text.length > most) refuseText(field, `has more than ${most} characters`);
  return text;
}

/** Whether a reader sees every character of a line, in any script. */
export const isShown = (line: string): boolean => isSeen(line.replace(JOINERS, ""));

function requireShown(line: string, field: string, most: number): void {
  if (!isShown(line)) refuseText(field, "has characters that cannot be shown in a line");
  if (line.length > most) refuseText(field, `has more than ${most} characters`); // composed it may be longer than it came
}

/** As URL writes it: a host in other letters than Latin ones becomes its ASCII form, so that it looks like no other host. */
function addressOf(line: string, field: string, schemes: readonly string[], most: number): string {
  const url = URL.canParse(line) ? new URL(line) : undefined;
  if (url === undefined || !schemes.includes(url.protocol)) {
    refuseText(field, `is no address with ${schemes.join(", ")}`);
  }
  if (url.protocol === "mailto:" && !MAIL.test(url.href)) refuseText(field, "is no address of mail");
  if (url.username !== "" || url.password !== "") refuseText(field, "has a user’s name in its address");
  if (url.href.length > most) refuseText(field, `has more than ${most} characters`);
  return url.href;
}
