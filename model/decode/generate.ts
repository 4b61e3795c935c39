import { ModelError } from "../contract/config.ts";
import type { Trainer } from "../contract/trainer.ts";
import { Random } from "../lib/random.ts";

/** How to pick the next token. */
export interface Sampling {
  /** Divides the logits: below 1 bolder, above 1 wilder; 0 always takes the likeliest. */
  readonly temperature: number;
  /** Chooses among this many likeliest tokens only. */
  readonly topK: number;
  /** Only tokens below this one are chosen, where a model has rows for more than its tokenizer's. Default all. */
  readonly vocabulary?: number;
  readonly seed: number;
}

/** The model's guess at the next token. */
export interface TokenGuess {
  readonly token: number;
  readonly probability: number;
}

/**
 * Writes on after `prompt` (one token at least), token by token, until the caller stops asking. The model
 * sees at most the last `context` tokens. The same logits and sampling give the same text on every machine.
 * Throws `bad-shape` on an empty prompt or a temperature or topK that means nothing, `bad-weights` when the
 * model gives no numbers.
 */
export async function* generate(
  trainer: Pick<Trainer, "logits">,
  context: number,
  prompt: ArrayLike<number>,
  sampling: Sampling,
): AsyncGenerator<number, never, void> {
  if (prompt.length < 1) throw new ModelError("bad-shape", "a prompt has at least one token");
  const random = new Random(sampling.seed);
  let seen = Array.from(prompt).slice(-context);
  for (;;) {
    const logits = await trainer.logits(Uint16Array.from(seen));
    const next = sampleToken(lastRow(logits, seen.length), sampling, random);
    yield next;
    seen = [...seen, next].slice(-context);
  }
}

/** Draws a token from one row of logits [V]. */
export function sampleToken(row: Float32Array, sampling: Omit<Sampling, "seed">, random: Random): number {
  const { temperature, topK, vocabulary } = sampling;
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY) || !(topK >= 1))
    throw new ModelError("bad-shape", `cannot sample at temperature ${temperature} among ${topK}`);
  const best = likeliest(row.subarray(0, vocabulary), topK);
  if (temperature === 0) return best[0]!;
  const most = row[best[0]!]!;
  const weights = best.map((token) => exponential((row[token]! - most) / temperature));
  let left = random.unit() * weights.reduce((sum, weight) => sum + weight, 0);
  const chosen = best.findIndex((_, i) => {
    left -= weights[i]!;
    return left < 0;
  });
  return best[Math.max(0, chosen)]!; // rounding can leave a little at the end
}

/** The `k` likeliest next tokens of one row of logits [V], best first, with their probabilities. */
export function topGuesses(row: Float32Array, k: number): readonly TokenGuess[] {
  const best = likeliest(row, k);
  const most = row[best[0]!]!;
  const sum = row.reduce((sum, logit) => sum + exponential(logit - most), 0);
  return best.map((token) => ({ token, probability: exponential(row[token]! - most) / sum }));
}

/** Row `index` (from 0) of logits [T, V]; `rows` is T. */
export function logitsRow(logits: Float32Array, rows: number, index: number): Float32Array {
  const vocabulary = logits.length / rows;
  return logits.subarray(index * vocabulary, (index + 1) * vocabulary);
}

const lastRow = (logits: Float32Array, rows: number): Float32Array => logitsRow(logits, rows, rows - 1);

/** Indices of the k largest, best first; of equals the lower index first. Throws `bad-weights` on NaN. */
function likeliest(row: Float32Array, k: number): number[] {
  // Sorting the bare values first is many times quicker than sorting all indices by them.
  const least = row.slice().sort()[Math.max(0, row.length - k)]!;
  if (row.some(Number.isNaN)) throw new ModelError("bad-weights", "the logits are not numbers");
  const among = Array.from(row.keys()).filter((token) => row[token]! >= least);
  return among.sort((a, b) => row[b]! - row[a]! || a - b).slice(0, k);
}

/**
 * eˣ for x ≤ 0 from × and + alone, since engines differ in Math.exp's last bits: e to the 256th of x by its
 * series, squared eight times. Within 1e-13 of eˣ, relative; 0 below −80, which no draw would notice.
 */
function exponential(x: number): number {
  if (x < -80) return 0;
  const y = x / 256;
  let power = 1;
  for (let n = 10; n >= 1; n--) power = 1 + (power * y) / n;
  for (let i = 0; i < 8; i++) power *= power;
  return power;
}
