import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyString } from "../../test/corpus-fixture.ts";
import { ownWord, WordCounts, wordsOf } from "./words.ts";

describe("wordsOf", () => {
  it("splits as GPT-2 does", () => {
    expect(wordsOf("I'll pay $42  for\n\n it — don't!")).toEqual([
      "I",
      "'ll",
      " pay",
      " $",
      "42".padStart(2),
      " ",
      " for",
      "\n\n",
      " it",
      " —",
      " don",
      "'t",
      "!",
    ]);
  });

  it("loses nothing", () => {
    fc.assert(fc.property(anyString, (text) => wordsOf(text).join("") === text));
  });
});

describe("ownWord", () => {
  it("is the same word, lone surrogates and all", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }), (codes) => {
        const word = String.fromCharCode(...codes);
        return ownWord(word) === word;
      }),
    );
  });
});

describe("WordCounts", () => {
  it("counts words", () => {
    const counts = new WordCounts();
    counts.add("the cat the");
    counts.add(" cat");
    expect([...counts.entries()]).toEqual([
      ["the", 1],
      [" cat", 2],
      [" the", 1],
    ]);
  });

  it("forgets the rarest when there are too many, never the frequent, and stays bounded", () => {
    const counts = new WordCounts(100);
    for (let i = 0; i < 5_000; i++) {
      counts.add(` x${i}y often often`.replaceAll(/\d/g, (digit) => "abcdefghij"[Number(digit)]!));
      expect([...counts.entries()].length).toBeLessThanOrEqual(100);
    }
    expect([...counts.entries()]).toContainEqual([" often", 10_000]);
  });

  it("passes over words too long to be worth a token", () => {
    const counts = new WordCounts();
    counts.add("a".repeat(64));
    counts.add("b".repeat(65));
    expect([...counts.entries()].length).toBe(1);
  });
});
