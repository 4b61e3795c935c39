import type { Trainer } from "../../model/contract/trainer.ts";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import type { Guess, Passage } from "./messages.ts";

/** Tokens of a passage: a sentence or two, readable at a glance. */
const PASSAGE_TOKENS = 64;
const GUESSES = 3;

/**
 * A piece of text about to be trained on, and what the loaded model would have written at each place. `row` is
 * one sequence of a micro-batch (context + 1 tokens).
 */
export async function passageOf(
  trainer: Pick<Trainer, "logits">,
  tokenizer: Tokenizer,
  row: Uint16Array,
  version: number,
): Promise<Passage> {
  const tokens = row.subarray(0, PASSAGE_TOKENS);
  const logits = await trainer.logits(tokens.subarray(0, -1));
  const rows = logits.length / (tokens.length - 1);
  const known = Math.min(rows, tokenizer.vocabulary); // spare rows stand for no text
  const guesses = Array.from({ length: tokens.length - 1 }, (_, before) => {
    const probabilities = softmax(logits.subarray(before * rows, before * rows + known));
    const guess = (token: number): Guess => ({
      token: tokenizer.piece(token),
      probability: probabilities[token] ?? 0,
    });
    return {
      at: before + 1,
      best: largest(probabilities, GUESSES).map(guess),
      truth: guess(tokens[before + 1]!),
    };
  });
  return { version, tokens: Array.from(tokens, (token) => tokenizer.piece(token)), guesses };
}

function softmax(logits: Float32Array): Float32Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

/** Indices of the `count` largest values, largest first. */
function largest(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (best.length === count && values[i]! <= values[best[count - 1]!]!) continue;
    const place = best.findIndex((other) => values[i]! > values[other]!);
    best.splice(place < 0 ? best.length : place, 0, i);
    best.length = Math.min(best.length, count);
  }
  return best;
}
