import { expect, test } from "vitest";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import { passageOf } from "./passage.ts";

const LETTERS = "abcde";
const tokenizer: Tokenizer = {
  vocabulary: LETTERS.length,
  encode: () => new Uint16Array(),
  decode: () => "",
  bytes: () => 0,
  piece: (token) => LETTERS[token] ?? "",
};

/** A model that after each token expects the next letter, then the one after it, and nothing else much. */
const trainer = {
  logits: async (tokens: Uint16Array) =>
    Float32Array.from({ length: tokens.length * 5 }, (_, i) => {
      const ahead = ((i % 5) - tokens[Math.floor(i / 5)]! + 5) % 5;
      return ahead === 1 ? 1_000 : ahead === 2 ? 1_000 - Math.log(3) : -1_000; // large: exp alone would overflow
    }),
};

test("shows the text, and for each token what the model expected before it saw it", async () => {
  const passage = await passageOf(trainer, tokenizer, Uint16Array.of(0, 1, 4), 7);
  expect(passage.version).toBe(7);
  expect(passage.tokens).toEqual(["a", "b", "e"]);
  expect(passage.guesses.map(({ at }) => at)).toEqual([1, 2]);
  const [first, second] = passage.guesses;
  expect(first!.best.map(({ token }) => token)).toEqual(["b", "c", "a"]);
  expect(first!.best[0]!.probability).toBeCloseTo(0.75, 5);
  expect(first!.best[1]!.probability).toBeCloseTo(0.25, 5);
  expect(first!.truth).toEqual(first!.best[0]);
  expect(second!.best[0]!.token).toBe("c");
  expect(second!.truth.token).toBe("e");
  expect(second!.truth.probability).toBe(0);
});

test("a spare row of a padded vocabulary is never shown as a guess", async () => {
  const padded = {
    logits: async (tokens: Uint16Array) =>
      Float32Array.from({ length: tokens.length * 8 }, (_, i) => (i % 8 === 7 ? 50 : i % 8 === 2 ? 5 : 0)),
  };
  const { guesses } = await passageOf(padded, tokenizer, Uint16Array.of(0, 1), 0);
  expect(guesses[0]!.best.map(({ token }) => token)).toEqual(["c", "a", "b"]);
  expect(guesses[0]!.best[0]!.probability).toBeGreaterThan(0.9);
});

test("a long window is shown in part, and the model is asked for no more than that", async () => {
  let asked = 0;
  const counting = {
    logits: (tokens: Uint16Array) => {
      asked = tokens.length;
      return trainer.logits(tokens);
    },
  };
  const passage = await passageOf(counting, tokenizer, new Uint16Array(1_025), 0);
  expect(passage.tokens).toHaveLength(64);
  expect(passage.guesses).toHaveLength(63);
  expect(asked).toBe(63);
});
