import { expect, it } from "vitest";
import { LossMeter, lossLine, lostCharacters } from "./loss.ts";

it("a lost character is one that the other text has fewer of, wherever it stands", () => {
  expect(lostCharacters("The Whale\n", "The Whale\n")).toBe(0);
  expect(lostCharacters("The Whale", "the whale")).toBe(2);
  expect(lostCharacters("a b\nc", "a b c")).toBe(1);
  expect(lostCharacters("über", "[UNK]ber")).toBe(1);
  expect(lostCharacters("ab", " a  b ")).toBe(0);
});

it("the meter tries the first blocks and then a sample, and gives the share that is lost", () => {
  const tokensOf = (text: string) => Uint16Array.from(text, (one) => one.toLowerCase().charCodeAt(0));
  const decoded: number[] = [];
  const meter = new LossMeter((tokens) => {
    decoded.push(tokens.length);
    return String.fromCharCode(...tokens);
  });
  for (let i = 0; i < 80; i++) meter.add(" Whale sea", tokensOf(" Whale sea"));
  expect(meter.share).toBeCloseTo(1 / 9);
  expect(decoded.length).toBe(8 + 9);
  expect(lossLine(meter.share)).toMatch(/loses text: 11\.1% of the characters/);
  expect(lossLine(0.000_01)).toMatch(/less than 0\.1%/);
});
