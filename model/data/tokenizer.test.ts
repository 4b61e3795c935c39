import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyString } from "../../test/corpus-fixture.ts";
import { ModelError } from "../contract/config.ts";
import { BYTE_CHARACTERS, BYTE_OF_CHARACTER } from "./bytechars.ts";
import { loadTokenizer } from "./tokenizer.ts";

/** A byte-level tokenizer.json with the bytes and the given merges. */
function byteLevel(...merges: [string, string][]): string {
  const names = [...BYTE_CHARACTERS, ...merges.map((pair) => pair.join(""))];
  const level = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return JSON.stringify({
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: { type: "BPE", vocab: Object.fromEntries(names.map((name, id) => [name, id])), merges },
  });
}

const code = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error instanceof ModelError ? error.code : error;
  }
  return "nothing thrown";
};

describe("loadTokenizer", () => {
  it("encodes with the file's merges, and says how many tokens a model needs", () => {
    const tokenizer = loadTokenizer(byteLevel(["t", "h"], ["th", "e"], ["Ġ", "the"]));
    expect(tokenizer.vocabulary).toBe(259);
    expect([...tokenizer.encode("the the")]).toEqual([257, 258]);
    expect(tokenizer.encode("")).toEqual(new Uint16Array(0));
  });

  it("reads bytes as it reads text", () => {
    expect(loadTokenizer(new TextEncoder().encode(byteLevel())).encode("é")).toEqual(
      Uint16Array.of(0xc3, 0xa9),
    );
  });

  it("decodes what it encoded, for any text that UTF-8 can hold", () => {
    const tokenizer = loadTokenizer(byteLevel(["Ġ", "Ġ"], ["e", "r"], ["Ġ", "a"]));
    fc.assert(
      fc.property(anyString, (text) => tokenizer.decode(tokenizer.encode(text)) === text.toWellFormed()),
    );
    for (const text of ["", "it 's n't , well .", "\ufeffBOM", "  two  spaces  "]) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it("decodes half a character and an unknown id without failing", () => {
    const tokenizer = loadTokenizer(byteLevel());
    expect(tokenizer.decode([0xe2, 0x80])).toBe("\ufffd");
    expect(tokenizer.decode([65, 9_999])).toBe("A");
  });

  it("counts the bytes of text: a cut character's, an added token's and an unknown id's", () => {
    const merged = byteLevel(["t", "h"], ["â", "Ģ"]);
    const tokenizer = loadTokenizer(merged);
    expect([[256], [257], [0xc3], [], [9_999]].map((tokens) => tokenizer.bytes(tokens))).toEqual([
      2, 2, 1, 0, 0,
    ]);
    const added = { id: 258, content: "<—>", special: false, single_word: false, lstrip: false };
    const file = { ...JSON.parse(merged), added_tokens: [{ ...added, rstrip: false, normalized: false }] };
    expect(loadTokenizer(JSON.stringify(file)).bytes([258, 65])).toBe(6);
    fc.assert(
      fc.property(
        anyString,
        (text) =>
          tokenizer.bytes(tokenizer.encode(text)) === new TextEncoder().encode(text.toWellFormed()).length,
      ),
    );
  });

  it("shows each token as its own text, and the bytes of a part of a character as bytes", () => {
    const tokenizer = loadTokenizer(byteLevel(["Ġ", "a"], ["â", "Ģ"], ["âĢ", "Ķ"], ["âĢĶ", "â"]));
    const pieces = [256, 257, 258, 259, 10, 0xff, 400].map((token) => tokenizer.piece(token));
    expect(pieces).toEqual([" a", "\\xe2\\x80", "—", "—\\xe2", "\n", "\\xff", ""]);
  });

  it("shows tokens of a tokenizer that is not byte-level", () => {
    const tokenizer = loadTokenizer(
      JSON.stringify({
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
        post_processor: null,
        decoder: { type: "Metaspace", replacement: "▁" },
        model: {
          type: "BPE",
          unk_token: "<unk>",
          vocab: { "<unk>": 0, "▁": 1, é: 2, "▁é": 3 },
          merges: ["▁ é"],
        },
      }),
    );
    expect(tokenizer.piece(3)).toBe(" é");
    expect(tokenizer.piece(2)).toBe("é");
    expect([...tokenizer.encode("é x")]).toEqual([3, 1, 0]);
  });

  it("counts the rows a model needs by the largest id, not by the number of tokens", () => {
    const file = JSON.parse(byteLevel());
    file.added_tokens.push({ id: 300, content: "<|end|>", special: true });
    const tokenizer = loadTokenizer(JSON.stringify(file));
    expect(tokenizer.vocabulary).toBe(301);
    expect(tokenizer.piece(300)).toBe("<|end|>");
  });

  it.each([
    ["no JSON", "{"],
    ["no tokenizer", "{}"],
    ["an array", "[]"],
    [
      "a model nobody knows",
      '{"model":{},"decoder":null,"post_processor":null,"pre_tokenizer":null,"normalizer":null}',
    ],
    ["no UTF-8", Uint8Array.of(0x7b, 0xff)],
  ])("refuses a file with %s", (_, file) => {
    expect(code(() => loadTokenizer(file))).toBe("bad-file");
  });

  it("refuses more tokens than 16 bits can name, and takes exactly so many", () => {
    const file = JSON.parse(byteLevel());
    file.added_tokens.push({ id: 65_535, content: "<|last|>", special: true });
    expect(loadTokenizer(JSON.stringify(file)).vocabulary).toBe(65_536);
    file.added_tokens[0].id = 65_536;
    expect(code(() => loadTokenizer(JSON.stringify(file)))).toBe("bad-file");
  });

  it("says so when a text has no token", () => {
    const file = JSON.parse(byteLevel());
    file.added_tokens.push({ content: "<|lost|>", special: true });
    expect(code(() => loadTokenizer(JSON.stringify(file)).encode("<|lost|>"))).toBe("bad-file");
  });
});

describe("byte characters", () => {
  it("are GPT-2's, one for each byte", () => {
    expect(BYTE_OF_CHARACTER.size).toBe(256);
    expect([32, 10, 65, 0, 0x7f, 0xad, 0xff].map((byte) => BYTE_CHARACTERS[byte])).toEqual([
      "Ġ",
      "Ċ",
      "A",
      "Ā",
      "ġ",
      "Ń",
      "ÿ",
    ]);
  });
});
