import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../model/lib/random.ts";
import { toHex } from "../protocol/bytes.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { frameVectors } from "./vectors/frames.ts";
import { keyPair, signedThings } from "./vectors/signed.ts";
import { batchVectors, initial, training } from "./vectors/training.ts";

/**
 * Writes protocol/vectors.json (docs/PROTOCOL.md, section 15): what the product signs, frames and draws, for whoever
 * writes another implementation. `node test/make-vectors.ts` writes the file; a test holds it to what is made today, and
 * test/independent computes it again.
 */
export const VECTORS_FILE = join(import.meta.dirname, "../protocol/vectors.json");

export async function makeVectors() {
  const [server, volunteer] = [keyPair(1), keyPair(2)];
  return {
    about: "Test vectors of docs/PROTOCOL.md, section 15. Bytes are in hex; f32 vectors too, little-endian.",
    canonical: CANONICAL.map((value) => ({ value, text: canonicalJson(value) })),
    keys: {
      server: { seed: toHex(server.seed), key: server.key },
      volunteer: { seed: toHex(volunteer.seed), key: volunteer.key },
    },
    signed: await signedThings(server, volunteer),
    random: { draws: SEEDS.map(draws), bounded: BOUNDS.map(bounded) },
    batches: batchVectors(),
    frames: frameVectors(),
    initial: await initial(),
    training: training(),
  };
}

const CANONICAL = [
  { b: 1, a: [true, false, null, "x"], "": {} },
  { "\uffff": 1, "\u{10000}": 2, Z: 3, a: 4, é: 5 },
  ['"\\/\b\t\n\f\r\u0001\u001f\u007f\u2028é€\u{1f426}', "\ud800"],
  [0, 1, -1, 0.1, 1e21, 123456789012345680000, 1e-6, 1e-7, 1.5e300, 5e-324, 0.30000000000000004, 1 / 3],
];

const SEEDS = [0, 1, 42, 2 ** 32 - 1];
function draws(seed: number) {
  const random = new Random(seed);
  return { seed, draws: Array.from({ length: 8 }, () => random.u32()) };
}

/** Bounds of which the last but one rejects nearly every second draw. */
const BOUNDS = [1, 2, 6, 1_000, 2 ** 31 + 1, 2 ** 32];
function bounded(bound: number) {
  const random = new Random(7);
  return { seed: 7, bound, draws: Array.from({ length: 8 }, () => random.below(bound)), next: random.u32() };
}

/** Characters of a line, about: what is longer and has parts is written part by part. */
const MAX_LINE = 120;

/** The file's text: short things in a line each, so that a change of one is readable. */
export function textOf(value: unknown, indent = "\n"): string {
  const text = JSON.stringify(value);
  if (text.length <= MAX_LINE || typeof value !== "object" || value === null || isFlat(value)) return text;
  const inner = `${indent} `;
  const parts = Array.isArray(value)
    ? value.map((one) => textOf(one, inner))
    : Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${textOf(one, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}${parts.map((part) => inner + part).join(",")}${indent}${close}`;
}

const isFlat = (value: object): boolean =>
  Array.isArray(value) && value.every((one) => typeof one !== "object" || one === null);

export const readVectors = (): string => readFileSync(VECTORS_FILE, "utf8");

if (import.meta.main) writeFileSync(VECTORS_FILE, `${textOf(await makeVectors())}\n`);
