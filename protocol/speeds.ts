import { as, asArray, asBoolean, asInteger, asNumber, asObject, asText, type Json } from "./guards.ts";

/** Measurements of `/bench` that visitors sent to a run's server (rule M5): for people alone, nothing is decided by them. */

/** The models that are measured. */
export const SPEED_SIZES = ["small", "anchor"] as const;
export type SpeedSize = (typeof SPEED_SIZES)[number];

/** How fast one device trained. Nothing in it tells whose it is. */
export interface Speed {
  readonly device: "webgpu" | "wasm";
  /** The adapter's own words, or the processor's threads. */
  readonly adapter: string;
  /** A processor in an adapter's place. */
  readonly software: boolean;
  readonly size: SpeedSize;
  readonly tokensPerSecond: number;
  /** The part of the same device's best arithmetic that training reached; null where that was not measured. */
  readonly ofPeak: number | null;
}

/** All that was sent of one device at one size, in the middle. */
export interface SpeedRow extends Speed {
  /** How many measurements it is the median of. */
  readonly times: number;
}

/** The answer of `GET /api/speeds`. */
export interface SpeedTable {
  /** Whether the operator takes measurements. */
  readonly taken: boolean;
  /** The fastest of each size first. */
  readonly rows: readonly SpeedRow[];
}

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

const isDevice = (value: unknown): value is Speed["device"] => value === "webgpu" || value === "wasm";
export const isSpeedSize = (value: unknown): value is SpeedSize => SPEED_SIZES.some((size) => size === value);
/** What is printed in one line, so that a name cannot pose as something else. */
const isPlain = (value: unknown): value is string =>
  typeof value === "string" && /^[\x20-\x7e]+$/.test(value);

/** Reads one measurement. Throws `bad-request`. */
export function parseSpeed(value: unknown): Speed {
  const json = asObject(value, "speed");
  return {
    device: as(isDevice, json.device, "speed.device"),
    adapter: as(isPlain, asText(json.adapter, "speed.adapter", MAX_ADAPTER), "speed.adapter"),
    software: asBoolean(json.software, "speed.software"),
    size: as(isSpeedSize, json.size, "speed.size"),
    tokensPerSecond: asNumber(json.tokensPerSecond, "speed.tokensPerSecond", 0, MAX_TOKENS),
    ofPeak: json.ofPeak === null ? null : asNumber(json.ofPeak, "speed.ofPeak", 0, MAX_SHARE),
  };
}

/** Reads what a visitor sends: one or two measurements. Throws `bad-request`. */
export function parseSpeeds(json: Json): readonly Speed[] {
  const speeds = asArray(json.speeds, "speeds", MAX_SENT).map(parseSpeed);
  asInteger(speeds.length, "speeds.length", 1, MAX_SENT);
  return speeds;
}

/** Reads a server's table. Throws `bad-request`. */
export function parseSpeedTable(json: Json): SpeedTable {
  return {
    taken: asBoolean(json.taken, "taken"),
    rows: asArray(json.rows, "rows", MAX_SPEED_ROWS).map((row) => ({
      ...parseSpeed(row),
      times: asInteger(asObject(row, "row").times, "times", 1, Number.MAX_SAFE_INTEGER),
    })),
  };
}

/** An adapter's words as {@link parseSpeed} takes them. */
export const plainAdapter = (words: string): string =>
  words
    .replace(/[^\x21-\x7e]+/g, " ")
    .trim()
    .slice(0, MAX_ADAPTER)
    .trim() || "unknown";
