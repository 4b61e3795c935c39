/** Numbers as a person reads them. British-style grouping whatever the visitor's locale, so that pages agree. */

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** E.g. 12345 → "12,345". */
export const formatCount = (value: number): string => whole.format(value);

/** Three significant figures with a unit of magnitude: 950 → "950", 12345 → "12.3 k", 3.4e6 → "3.40 M". */
export function formatLarge(value: number): string {
  return scaled(value, 1000, ["", " k", " M", " G", " T"]);
}

/** Bytes in decimal units, as browsers and providers count traffic: 1_210_000 → "1.21 MB". */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1000, [" B", " kB", " MB", " GB", " TB"]);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0;
  // 999.5 already rounds to "1000" at three figures, so it moves to the next unit.
  while (value >= base - 0.5 && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(digits) + units[unit];
}

/** A loss in nats: two decimals, which is what one held-out measurement can tell apart. */
export const formatLoss = (nats: number): string => nats.toFixed(2);

/** A loss in bits a byte: three decimals, since a token has several bytes. */
export const formatBits = (bits: number): string => bits.toFixed(3);

/** A loss in nats as the number of equally likely choices that would be as hard: 3.0 → "20", 1.0 → "2.7". */
export function formatChoices(nats: number): string {
  const choices = Math.exp(nats);
  return choices < 9.95 ? choices.toFixed(1) : formatCount(choices);
}

/** A probability: "23%", and never "0%" for something that was given a chance. */
export function formatProbability(p: number): string {
  return p > 0 && p < 0.005 ? "<1%" : `${Math.round(p * 100)}%`;
}

/** A small part of a whole to two significant figures: 0.0042 → "0.42%", 0.31 → "31%". */
export function formatPart(part: number): string {
  const percent = part * 100;
  return `${percent >= 9.95 || percent === 0 ? percent.toFixed(0) : Number(percent.toPrecision(2))}%`;
}

/** Milliseconds as the largest fitting unit: "0.8 s", "12 s", "3 min", "2 h". */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** A moment by the visitor's own clock: "23 Nov 2026, 04:12". */
export const formatTime = (at: number): string => moment.format(at);

/** "1 volunteer", "3 volunteers". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
