import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { anyString, prose } from "../../test/corpus-fixture.ts";
import { trainBpe } from "./bpe.ts";
import { BpeEncoder, tokenizerJson } from "./encode.ts";
import { WordCounts } from "./words.ts";

/** Our encoder and the library's, from the same merges. */
function both(text: string, vocabulary: number) {
  const words = new WordCounts();
  words.add(text);
  const merges = trainBpe(words, vocabulary, () => {});
  return { ours: new BpeEncoder(merges), library: loadTokenizer(tokenizerJson(merges)) };
}

const mixed = `${prose(40_000)} don't they'll 1234 1234 -- ---- ----\n\n\t\t\t\t    indented    indented 🐳🐳 🐳🐳 naïve naïve`;

/** Any text: characters of every plane, lone surrogates, combining marks, controls, runs of white space. */
const anyText = fc
  .array(
    fc.oneof(
      anyString,
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
        .map((codes) => String.fromCharCode(...codes)),
      fc
        .constantFrom(
          " ",
          "\n",
          "\t",
          "\r\n",
          "\u00a0",
          "\u0085",
          "\ufeff",
          "\u2028",
          "-",
          "\ud83d",
          "\udc33",
        )
        .chain((unit) => fc.integer({ min: 1, max: 60 }).map((times) => unit.repeat(times))),
      fc.constantFrom(
        "don't",
        "we'll",
        "'re",
        "'RE",
        "e\u0301\u0327",
        "👩‍👩‍👧",
        "\u0000\u001b",
        "ﬁ",
        "١٢٣",
        "Ⅷ",
        "½",
        "__proto__",
        "constructor",
      ),
      fc.integer({ min: 0, max: mixed.length }).map((at) => mixed.slice(at, at + 20)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("BpeEncoder", () => {
  const { ours, library } = both(mixed, 700);

  it("encodes any text as @huggingface/tokenizers does from the tokenizer.json", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect([...ours.encode(text)]).toEqual([...library.encode(text)]);
      }),
      { numRuns: 500 },
    );
  });

  it("encodes so that decoding gives the text back, lone surrogates as U+FFFD", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(library.decode(ours.encode(text))).toBe(text.toWellFormed());
      }),
      { numRuns: 300 },
    );
  });

  it("agrees on text like what it was trained on, where words are long merges", () => {
    expect([...ours.encode(mixed)]).toEqual([...library.encode(mixed)]);
    expect(ours.encode(mixed).length).toBeLessThan(mixed.length / 2);
  });

  it("agrees on repeats, where merges overlap, in every length", () => {
    const dashes = both("- -- --- ---- ----- -------- aaaa aaaaaa aaaaaaaaa ".repeat(30), 262);
    for (let length = 1; length < 200; length++) {
      const text = "-".repeat(length) + "a".repeat(length);
      expect([...dashes.ours.encode(text)]).toEqual([...dashes.library.encode(text)]);
    }
  });

  it("agrees with no merges at all", () => {
    const bytes = both("", 256);
    expect([...bytes.ours.encode("é ")]).toEqual([0xc3, 0xa9, 0x20]);
    expect([...bytes.library.encode("é ")]).toEqual([0xc3, 0xa9, 0x20]);
  });

  it("takes a long word without white space in its stride", () => {
    const word = prose(60_000).replaceAll(/[^a-zé]/g, "");
    expect([...ours.encode(word)]).toEqual([...library.encode(word)]);
  });
});

describe("tokenizerJson", () => {
  it("has exactly the tokens asked for, the first 256 the bytes", () => {
    const { library } = both(mixed, 700);
    expect(library.vocabulary).toBe(700);
    expect([0x41, 0x0a, 0xff].map((byte) => library.piece(byte))).toEqual(["A", "\n", "\\xff"]);
  });
});
