import fc from "fast-check";
import { expect, it } from "vitest";
import { collect, prose, stream } from "../../test/corpus-fixture.ts";
import { DuplicateFinder } from "./duplicates.ts";
import { passagesOf } from "./passages.ts";

const piecesOf = (text: string, sizes: readonly number[]): string[] => {
  const pieces: string[] = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
};
const passagesIn = async (...pieces: string[]) => (await collect(passagesOf(stream(...pieces)))).flat();
const sizes = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 5 });
const text = fc
  .array(fc.constantFrom("\n", "\n\n", " \n \t\n", "One sentence. ", "Zwei? ", "x".repeat(900), "三。"), {
    maxLength: 60,
  })
  .map((parts) => parts.join(""));

it("passages, joined, are the text, and the same however it comes in pieces", async () => {
  await fc.assert(
    fc.asyncProperty(text, sizes, async (given, cuts) => {
      const passages = await passagesIn(...piecesOf(given, cuts));
      expect(passages.join("")).toBe(given);
      expect(passages).toEqual(await passagesIn(given));
    }),
  );
});

it("a text without paragraphs is cut by lines, one without lines by sentences, and one without any is held in part", async () => {
  const line = "It goes on and on, as logs do, with one line after yet another.\n";
  const sentence = "It goes on and on, as some documents do, on a single line of text. ";
  expect(new Set(await passagesIn(line.repeat(5_000)))).toEqual(new Set([line]));
  const found = await passagesIn(sentence.repeat(5_000));
  expect(found.filter((passage) => passage === sentence).length).toBeGreaterThan(4_900);
  expect((await passagesIn("x".repeat(300_000), "y")).join("").length).toBe(300_001);
  const short = await passagesIn("Ahoy! ".repeat(50_000));
  expect(short.length).toBeLessThan(5_000);
});

it("finds what came before by its words; short passages may come twice", async () => {
  const finder = new DuplicateFinder();
  const long = "The quick brown fox jumps over the lazy dog, as it has done for years on end.";
  const same = long.toUpperCase().replaceAll(" ", "\n ").replace("FOX", "\uFF26OX");
  const given = `Chapter 1\n\n${long}\n\nChapter 1\n\n${same}\n\nNew.`;
  const read = (drop: boolean) => collect(finder.filter(stream(given), drop));
  expect((await read(true)).join("")).toBe(`Chapter 1\n\n${long}\n\nChapter 1\n\nNew.`);
  expect(finder.found.passages).toBe(1);
  expect((await read(false)).join("")).toBe(given);
  expect(finder.found.passages).toBe(3);
});

it("remembers many passages, each once", async () => {
  const finder = new DuplicateFinder();
  const all = prose(2_000_000, 3);
  await finder.learn(stream(all));
  const passages = (await passagesIn(all)).length;
  expect((await collect(finder.filter(stream(all), true))).join("").length).toBeLessThan(0.05 * all.length);
  expect(finder.found.passages).toBeGreaterThan(0.7 * passages);
});
