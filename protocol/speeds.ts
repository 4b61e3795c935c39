import { as, asText, type Json } from "./guards.ts";
import { flag, integer, list, message, number, object, oneOf, orNull, type Reader } from "./schema.ts";

/** Measurements of `/bench` that visitors sent to a run's server (rule M5): for people alone, nothing is decided by them. */

/** The models that are measured. */
export const SPEED_SIZES = ["small", "anchor"] as const;
export type SpeedSize = (typeof SPEED_SIZES)[number];

/** Characters of an adapter's words. */
const MAX_ADAPTER = 120;
/** Tokens a second that may be claimed. */
const MAX_TOKENS = 1e9;
/** Above what a device can do: its best was then measured while it did something else. */
const MAX_SHARE = 2;
/** Measurements in one message: of the GPU and of the processor. */
const MAX_SENT = 2;
/** Rows that a server shows. */
export const MAX_SPEED_ROWS = 100;

export const isSpeedSize = (value: unknown): value is SpeedSize => SPEED_SIZES.some((size) => size === value);
/** What is printed in one line, so that a name cannot pose as something else. */
const isPlain = (value: unknown): value is string =>
  typeof value === "string" && /^[\x20-\x7e]+$/.test(value);

const SPEED = {
  device: oneOf("webgpu", "wasm"),
  /** The adapter's own words, or the processor's threads. */
  adapter: ((value, field) => as(isPlain, asText(value, field, MAX_ADAPTER), field)) satisfies Reader<string>,
  /** A processor in an adapter's place. */
  software: flag,
  size: oneOf(...SPEED_SIZES),
  tokensPerSecond: number(0, MAX_TOKENS),
  /** The part of the same device's best arithmetic that training reached; null where that was not measured. */
  ofPeak: orNull(number(0, MAX_SHARE)),
};

export const speed = object(SPEED);
/** How fast one device trained. Nothing in it tells whose it is. */
export type Speed = ReturnType<typeof speed>;

const sent = message({ speeds: list(speed, MAX_SENT) });

/** Reads what a visitor sends: one or two measurements. Throws `bad-request`. */
export function parseSpeeds(json: Json): readonly Speed[] {
  const { speeds } = sent(json);
  integer(1, MAX_SENT)(speeds.length, "speeds.length");
  return speeds;
}

const row = object({
  ...SPEED,
  /** How many measurements it is the median of. */
  times: integer(1, Number.MAX_SAFE_INTEGER),
});
/** All that was sent of one device at one size, in the middle. */
export type SpeedRow = ReturnType<typeof row>;

/** Reads a server's table. Throws `bad-request`. */
export const parseSpeedTable = message({
  /** Whether the operator takes measurements. */
  taken: flag,
  /** The fastest of each size first. */
  rows: list(row, MAX_SPEED_ROWS),
});
/** The answer of `GET /api/speeds`. */
export type SpeedTable = ReturnType<typeof parseSpeedTable>;

/** An adapter's words as {@link speed} takes them. */
export const plainAdapter = (words: string): string =>
  words
    .replace(/[^\x21-\x7e]+/g, " ")
    .trim()
    .slice(0, MAX_ADAPTER)
    .trim() || "unknown";
