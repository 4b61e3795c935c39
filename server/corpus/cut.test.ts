import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, prose, stream } from "../../test/corpus-fixture.ts";
import { cutBlocks } from "./cut.ts";
import { wordsOf } from "./words.ts";

const cut = (pieces: string[], size: number) => collect(cutBlocks(stream(...pieces), () => size));

/** Text thick with what cuts and words depend on. */
const tricky = fc
  .array(
    fc.constantFrom(
      "a",
      "don't",
      " ",
      "  ",
      "\n",
      "\n\n",
      "\t",
      "\u00a0",
      "\u0085",
      "\ufeff",
      "7",
      "é",
      "🐳",
      "—",
      "'s",
    ),
    {
      maxLength: 200,
    },
  )
  .map((parts) => parts.join(""));

describe("cutBlocks", () => {
  it("loses nothing, keeps to its sizes, and does not depend on the pieces", async () => {
    await fc.assert(
      fc.asyncProperty(
        tricky,
        fc.array(fc.nat(30)),
        fc.integer({ min: 2, max: 20 }),
        async (text, at, size) => {
          const pieces = [0, ...at, text.length]
            .sort((a, b) => a - b)
            .map((end, i, ends) => text.slice(ends[i - 1] ?? 0, end));
          const blocks = await cut(pieces, size);
          expect(blocks.join("")).toBe(text);
          expect(blocks).toEqual(await cut([text], size));
          for (const [i, block] of blocks.entries()) {
            expect(block.length).toBeLessThanOrEqual(2 * size);
            if (i < blocks.length - 1) expect(block.length).toBeGreaterThanOrEqual(size - 1); // −1: a surrogate pair
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("leaves the words as they are in the whole text", async () => {
    const space = fc.stringMatching(/^[ \n\t\u00a0\ufeff]{1,4}$/);
    const word = fc.constantFrom("a", "don't", "'s", "7", "\u0085", "🐳", "—é");
    const text = fc.array(fc.tuple(word, space), { maxLength: 100 }).map((pairs) => pairs.flat().join(""));
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 12, max: 40 }), async (drawn, size) => {
        const blocks = await cut([drawn], size);
        expect(blocks.flatMap(wordsOf)).toEqual([...wordsOf(drawn)]);
      }),
    );
  });

  it("prefers the end of a paragraph to that of a line, and that to a word's", async () => {
    expect(await cut(["aaaa bb\ncc\n\ndddd eeee ffff"], 6)).toEqual([
      "aaaa bb\ncc\n",
      "\ndddd eeee",
      " ffff",
    ]);
    expect(await cut(["aaaa bbbb c\ndddd eeee"], 6)).toEqual(["aaaa bbbb c", "\ndddd eeee"]);
    expect(await cut(["aaaa bbbb cccc dddd"], 6)).toEqual(["aaaa bbbb", " cccc dddd"]);
  });

  it("cuts a stretch without white space between two characters", async () => {
    expect(await cut(["🐳".repeat(5)], 2)).toEqual(["🐳🐳", "🐳🐳", "🐳"]);
    expect(await cut([`a${"🐳".repeat(4)}`], 2)).toEqual(["a🐳", "🐳🐳", "🐳"]);
  });

  it("holds no more than a piece and two blocks", async () => {
    const text = prose(200_000);
    let read = 0;
    async function* pieces() {
      for (let at = 0; at < text.length; at += 100) {
        read = at;
        yield text.slice(at, at + 100);
      }
    }
    let written = 0;
    let most = 0;
    for await (const block of cutBlocks(pieces(), () => 500)) {
      most = Math.max(most, read - written);
      written += block.length;
    }
    expect(written).toBe(text.length);
    expect(most).toBeLessThanOrEqual(1_100);
  });
});
