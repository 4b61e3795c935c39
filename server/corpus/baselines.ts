import { pairOf } from "./bpe.ts";
import type { Split } from "./split.ts";

/** The losses of guessing on the held-out text, nats a token. */
export interface Baselines {
  /** All tokens equally likely: ln vocabulary. */
  readonly uniform: number;
  /** By how often a token comes in the train text. */
  readonly unigram: number;
  /** By what follows the token before it in the train text. */
  readonly bigram: number;
}

/** Tokens that are measured, the first of each, so that memory and time stay bounded. */
const MAX_MEASURED = { heldOut: 1 << 20, gate: 1 << 17 } as const;

/** Tokens of evidence that the unigram is given within the bigram; the best of these is taken. */
const PRIORS = Array.from({ length: 17 }, (_, i) => 2 ** i);

/**
 * Measures the baselines: cross-entropies, on the held-out text, of models that have counted the train text,
 * as the run's own loss is. (The held-out text's own entropies would be lower than any model can honestly
 * reach.) Over every token t of it but the first, s being the token before:
 *
 *     unigram  −mean ln p(t)      p(t) = (n(t) + 1) / (N + V)
 *     bigram   −mean ln p(t|s)    p(t|s) = (n(s,t) + m p(t)) / (n(s) + m)
 *
 * n counts the train text's N tokens, n(s) those of them that another follows, V is the vocabulary. The first
 * is Laplace's rule, the second interpolation with a Dirichlet prior (MacKay & Peto 1995), whose weight m is
 * the power of two that does best on the gate text.
 *
 * Gate and held-out tokens come first: then only pairs that occur in them need counting.
 */
export class BaselineMeter {
  readonly #vocabulary: number;
  readonly #measured: Record<"gate" | "heldOut", number[]> = { gate: [], heldOut: [] };
  readonly #pairs = new Map<number, number>();
  readonly #tokens: Float64Array;
  readonly #followed: Float64Array;
  #total = 0;
  #last = -1;

  constructor(vocabulary: number) {
    this.#vocabulary = vocabulary;
    this.#tokens = new Float64Array(vocabulary);
    this.#followed = new Float64Array(vocabulary);
  }

  /** Takes the next tokens of a split: all of gate and held-out before the first of train. */
  add(split: Split, tokens: Uint16Array): void {
    if (split === "train") this.#count(tokens);
    else this.#keep(split, tokens);
  }

  #keep(split: "gate" | "heldOut", tokens: Uint16Array): void {
    const kept = this.#measured[split];
    for (const token of tokens.subarray(0, MAX_MEASURED[split] - kept.length)) {
      const before = kept.at(-1);
      if (before !== undefined) this.#pairs.set(pairOf(before, token), 0);
      kept.push(token);
    }
  }

  #count(tokens: Uint16Array): void {
    this.#total += tokens.length;
    for (const token of tokens) {
      this.#tokens[token]! += 1;
      if (this.#last >= 0) {
        this.#followed[this.#last]! += 1;
        const pair = pairOf(this.#last, token);
        const count = this.#pairs.get(pair);
        if (count !== undefined) this.#pairs.set(pair, count + 1);
      }
      this.#last = token;
    }
  }

  /** Rounded to a millionth of a nat: the same on machines whose logarithms differ in the last bit. */
  result(): Baselines {
    const { gate, heldOut } = this.#measured;
    let prior = PRIORS[0]!;
    let best = Number.POSITIVE_INFINITY;
    for (const tried of PRIORS) {
      const loss = this.#bigram(gate, tried);
      if (loss < best) [best, prior] = [loss, tried];
    }
    return {
      uniform: rounded(Math.log(this.#vocabulary)),
      unigram: rounded(meanLoss(heldOut, (_, token) => this.#probability(token))),
      bigram: rounded(this.#bigram(heldOut, prior)),
    };
  }

  #probability(token: number): number {
    return (this.#tokens[token]! + 1) / (this.#total + this.#vocabulary);
  }

  #bigram(tokens: readonly number[], prior: number): number {
    return meanLoss(tokens, (before, token) => {
      const seen = this.#pairs.get(pairOf(before, token)) ?? 0;
      return (seen + prior * this.#probability(token)) / (this.#followed[before]! + prior);
    });
  }
}

function meanLoss(tokens: readonly number[], probability: (before: number, token: number) => number): number {
  let sum = 0;
  for (let i = 1; i < tokens.length; i++) sum -= Math.log(probability(tokens[i - 1]!, tokens[i]!));
  return sum / (tokens.length - 1);
}

const rounded = (nats: number): number => Number(nats.toFixed(6));
