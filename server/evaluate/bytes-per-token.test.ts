import { expect, test } from "vitest";
import { bytesPerToken } from "./bytes-per-token.ts";

/** A token's number is its bytes. */
const tokenizer = {
  bytes: (tokens: ArrayLike<number>) => Array.from(tokens).reduce((sum, token) => sum + token, 0),
};

test("bytes a token are counted over what a loss is measured on: every token of each window but its first", () => {
  const windows = [Uint16Array.of(9, 1, 2, 3), Uint16Array.of(3, 4, 5, 6)];
  expect(bytesPerToken(tokenizer, windows)).toBe(21 / 6);
});
