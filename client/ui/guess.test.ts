import { expect, it } from "vitest";
import { isRight } from "./guess.tsx";

it("a guess is right only when the first guess is the text's own token", () => {
  const truth = { token: " me", probability: 0.1 };
  const other = { token: " the", probability: 0.5 };
  expect(isRight({ at: 1, best: [truth, other], truth })).toBe(true);
  expect(isRight({ at: 1, best: [other, truth], truth })).toBe(false);
  expect(isRight({ at: 1, best: [], truth })).toBe(false);
});
