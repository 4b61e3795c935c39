import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../model/lib/random.ts";
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

  it("counts a word of any length in pieces of 64 characters, none of which is half a character", () => {
    const counts = new WordCounts();
    counts.add("a".repeat(64));
    counts.add("b".repeat(130));
    counts.add(`c${"\u{20000}".repeat(40)}`);
    expect([...counts.entries()]).toEqual([
      ["a".repeat(64), 1],
      ["b".repeat(64), 2],
      ["bb", 1],
      [`c${"\u{20000}".repeat(31)}`, 1],
      ["\u{20000}".repeat(9), 1],
    ]);
  });

  it("keeps half of what it may where every piece comes once, as in a genome", () => {
    const counts = new WordCounts(1_000, 640);
    const random = new Random(3);
    for (let i = 0; i < 200; i++) {
      counts.add(Array.from({ length: 64 }, () => "ACGT"[random.below(4)]).join(""));
      const kept = [...counts.entries()].length;
      expect(kept).toBeLessThanOrEqual(10);
      expect(kept).toBeGreaterThanOrEqual(Math.min(i + 1, 5));
    }
  });
});
