/**
 * Numbers as a person reads them, in the language of the page. English has the signs of the SI, "12.3 k" and "5.0 s", for which
 * Intl has none; every other language has what Intl says.
 */
import { language } from "../language/current.ts";
import { localeOf } from "../language/languages.ts";

/** Formats are slow to make, and a page asks for the same few again and again. */
const made = new Map<string, Intl.NumberFormat>();

function format(value: number, options: Intl.NumberFormatOptions): string {
  const locale = localeOf(language.value);
  const key = locale + JSON.stringify(options);
  let found = made.get(key);
  if (found === undefined) {
    found = new Intl.NumberFormat(locale, options);
    made.set(key, found);
  }
  return found.format(value);
}

const isEnglish = (): boolean => language.value === "en";

/** A number with this many digits after its point. */
export const formatFixed = (value: number, digits: number): string =>
  format(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** E.g. 12345 → "12,345". */
export const formatCount = (value: number): string => format(value, { maximumFractionDigits: 0 });

/** Three significant figures with a unit of magnitude: 950 → "950", 12345 → "12.3 k", 3.4e6 → "3.40 M". */
export function formatLarge(value: number): string {
  if (isEnglish()) return scaled(value, 1000, ["", " k", " M", " G", " T"]);
  if (value < 999.5) return formatCount(value);
  return format(value, { notation: "compact", minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}

const BYTES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Bytes in decimal units, as browsers and providers count traffic: 1_210_000 → "1.21 MB". */
export function formatBytes(bytes: number): string {
  if (isEnglish()) return scaled(bytes, 1000, [" B", " kB", " MB", " GB", " TB"]);
  const { value, unit, digits } = scale(bytes, 1000, BYTES.length);
  return formatUnit(value, BYTES[unit] ?? "byte", digits);
}

const formatUnit = (value: number, unit: string, digits: number): string =>
  format(value, {
    style: "unit",
    unit,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });

function scaled(value: number, base: number, units: readonly string[]): string {
  const { value: rest, unit, digits } = scale(value, base, units.length);
  return rest.toFixed(digits) + units[unit];
}

/** How often `base` is in a value, and the digits that make its rest three figures. */
function scale(value: number, base: number, units: number) {
  let unit = 0;
  // 999.5 already rounds to "1000" at three figures, so it moves to the next unit.
  while (value >= base - 0.5 && unit < units - 1) {
    value /= base;
    unit++;
  }
  return { value, unit, digits: unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2 };
}

/** A loss in nats: two decimals, which is what one held-out measurement can tell apart. */
export const formatLoss = (nats: number): string => formatFixed(nats, 2);

/** A loss in bits a byte: three decimals, since a token has several bytes. */
export const formatBits = (bits: number): string => formatFixed(bits, 3);

/** A loss in nats as the number of equally likely choices that would be as hard: 3.0 → "20", 1.0 → "2.7". */
export function formatChoices(nats: number): string {
  const choices = Math.exp(nats);
  return choices < 9.95 ? formatFixed(choices, 1) : formatCount(choices);
}

/** A probability: "23%", and never "0%" for something that was given a chance. */
export function formatProbability(p: number): string {
  return p > 0 && p < 0.005 ? `<${formatPercent(0.01)}` : formatPercent(p);
}

/** A part of a whole in whole per cent: 0.5 → "50%". */
const formatPercent = (part: number): string =>
  format(Math.round(part * 100) / 100, { style: "percent", maximumFractionDigits: 0 });

/** A small part of a whole to two significant figures: 0.0042 → "0.42%", 0.31 → "31%". */
export function formatPart(part: number): string {
  if (part >= 0.0995) return formatPercent(part);
  return format(part, { style: "percent", maximumSignificantDigits: 2 });
}

/** Milliseconds as the largest fitting unit: "0.8 s", "12 s", "3 min", "2 h". */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return duration(seconds, "second", 1);
  if (seconds < 99.5) return duration(seconds, "second", 0);
  if (seconds < 5_400) return duration(seconds / 60, "minute", 0);
  return duration(seconds / 3_600, "hour", 0);
}

const SIGNS = { second: " s", minute: " min", hour: " h" } as const;

const duration = (value: number, unit: keyof typeof SIGNS, digits: number): string =>
  isEnglish() ? value.toFixed(digits) + SIGNS[unit] : formatUnit(value, unit, digits);

/** A moment by the visitor's own clock: "23 Nov 2026, 04:12". */
export const formatTime = (at: number): string =>
  new Intl.DateTimeFormat(localeOf(language.value), { dateStyle: "medium", timeStyle: "short" }).format(at);

/** "1 volunteer", "3 volunteers", where the language has two forms; one that has a single form needs no such help. */
export function plural(count: number, one: string, many = `${one}s`): string {
  const isOne = new Intl.PluralRules(localeOf(language.value)).select(count) === "one";
  return `${formatCount(count)} ${isOne ? one : many}`;
}
