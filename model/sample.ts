import type { ModelShape } from "./config.ts";
import type { Random } from "./random.ts";
import type { Trainer } from "./trainer.ts";

export interface SampleOptions {
  readonly shape: Pick<ModelShape, "context" | "vocabulary">;
  /** Tokens to write. */
  readonly length: number;
  /** Below 1 sharpens the distribution, above 1 flattens it; above 0. */
  readonly temperature: number;
  /** Only the likeliest so many tokens are drawn from. */
  readonly topK: number;
  readonly random: Random;
}

/**
 * Lets a model write on from a prompt of at least one token: `length` tokens, each drawn from the `topK`
 * likeliest at `temperature`. The model sees at most the last `context` tokens. Returns only what it wrote.
 */
export async function generate(
  trainer: Pick<Trainer, "logits">,
  prompt: Uint16Array,
  { shape, length, temperature, topK, random }: SampleOptions,
): Promise<Uint16Array<ArrayBuffer>> {
  const text = new Uint16Array(prompt.length + length);
  text.set(prompt);
  for (let at = prompt.length; at < text.length; at++) {
    const seen = text.subarray(Math.max(0, at - shape.context), at);
    const logits = await trainer.logits(seen);
    text[at] = draw(logits.subarray(-shape.vocabulary), temperature, topK, random);
  }
  return text.slice(prompt.length);
}

/**
 * Draws a token from logits. The same logits and generator give the same token everywhere: order by value,
 * then by id; the exponential is our own, of + − × only.
 */
export function draw(logits: Float32Array, temperature: number, topK: number, random: Random): number {
  const best = Array.from(logits.keys())
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, topK);
  const largest = logits[best[0]!]!;
  const weights = best.map((token) => exponential((logits[token]! - largest) / temperature));
  let left = random.unit() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < best.length; i++) {
    left -= weights[i]!;
    if (left < 0) return best[i]!;
  }
  return best[0]!; // rounding left nothing to land on
}

/**
 * eˣ for x ≤ 0 to about 1e-15, of operations that IEEE 754 fixes (Math.exp is each engine's own): x is
 * k·ln 2 + r with |r| ≤ ln 2 ÷ 2, eʳ by Taylor's series, and 2ᵏ by halving.
 */
export function exponential(x: number): number {
  if (x < -700) return 0;
  const k = Math.round(x / Math.LN2);
  const r = x - k * Math.LN2;
  let term = 1;
  let sum = 1;
  for (let n = 1; n <= 14; n++) {
    term *= r / n;
    sum += term;
  }
  for (let i = 0; i > k; i--) sum /= 2;
  return sum;
}
