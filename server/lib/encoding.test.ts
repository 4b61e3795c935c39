import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, failure, stream } from "../../test/corpus-fixture.ts";
import { decodeText } from "../corpus/decode.ts";
import { detectEncoding, guessEncoding } from "./encoding.ts";

const TEXTS = {
  English: "Call me Ishmael. Some years ago, never mind how long precisely.\n".repeat(3),
  Russian: "Все счастливые семьи похожи друг на друга.\n".repeat(3),
  Greek: "Ἄνδρα μοι ἔννεπε, Μοῦσα, πολύτροπον.\n".repeat(3),
  Chinese: "道可道，非常道。名可名，非常名。\n无名天地之始。".repeat(3),
  Japanese: "吾輩は猫である。名前はまだ無い。\n".repeat(3),
  "two lines": "a\r\nb\r\n",
};

type Wide = "utf-16le" | "utf-16be" | "utf-32le" | "utf-32be";

function encode(text: string, encoding: Wide): Uint8Array {
  const wide = encoding.startsWith("utf-32");
  const units = wide
    ? [...text].map((one) => one.codePointAt(0)!)
    : Array.from(text, (_, i) => text.charCodeAt(i));
  const bytes = new DataView(new ArrayBuffer(units.length * (wide ? 4 : 2)));
  units.forEach((unit, i) => {
    if (wide) bytes.setUint32(4 * i, unit, encoding === "utf-32le");
    else bytes.setUint16(2 * i, unit, encoding === "utf-16le");
  });
  return new Uint8Array(bytes.buffer);
}

describe.each(Object.entries(TEXTS))("%s", (_, text) => {
  it("is known by its bytes in UTF-8, UTF-16 and UTF-32, with and without a byte order mark", () => {
    for (const marked of [text, `\ufeff${text}`]) {
      expect(detectEncoding(new TextEncoder().encode(marked))).toBe("utf-8");
      for (const encoding of ["utf-16le", "utf-16be", "utf-32le", "utf-32be"] as const) {
        expect(detectEncoding(encode(marked, encoding)), encoding).toBe(encoding);
      }
    }
  });

  it("is decoded from UTF-16 wherever the bytes are cut, and refused by name in UTF-32", async () => {
    for (const encoding of ["utf-16le", "utf-16be"] as const) {
      const bytes = encode(`\ufeff${text}`, encoding);
      const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) =>
        bytes.subarray(7 * i, 7 * i + 7),
      );
      expect((await collect(decodeText(stream(...chunks), "a.txt"))).join("")).toBe(text);
      expect((await collect(decodeText(stream(encode(text, encoding)), "a.txt"))).join("")).toBe(text);
    }
    for (const encoding of ["utf-32le", "utf-32be"] as const) {
      const { code, message } = await failure(collect(decodeText(stream(encode(text, encoding)), "a.txt")));
      expect({ code, message }).toEqual({
        code: "not-utf8",
        message: expect.stringContaining(encoding.toUpperCase()),
      });
    }
  });
});

it("UTF-16 of letters is valid UTF-8, so that without looking it would be taken in silence (control)", () => {
  for (const text of [TEXTS.English, TEXTS.Russian]) {
    const bytes = encode(text, "utf-16le");
    expect(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes)).not.toThrow();
    expect(detectEncoding(bytes)).toBe("utf-16le");
  }
});

it("text in UTF-8 is never taken for anything else", () => {
  const printable = fc.string({ unit: "grapheme-composite", minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(printable, (text) => {
      expect(detectEncoding(new TextEncoder().encode(text))).toBe("utf-8");
    }),
  );
  const cut = new TextEncoder().encode(`${"x".repeat(4_095)}é`);
  expect(detectEncoding(cut)).toBe("utf-8");
});

it("UTF-16 that breaks off within a character is refused with where", async () => {
  const bytes = encode("the whale\nthe sea", "utf-16le").subarray(0, 31);
  expect((await failure(collect(decodeText(stream(bytes), "a.txt")))).message).toMatch(
    /UTF-16LE.*half a character/,
  );
});

it("bytes in no encoding of Unicode are guessed at by what stands around them", () => {
  const latin = Buffer.from("Der Wal schläft über dem Riff, völlig ruhig.", "latin1");
  expect(guessEncoding(latin)).toMatch(/Windows-1252/);
  const cyrillic = Uint8Array.of(0xc2, 0xf1, 0xe5, 0x20, 0xf1, 0xf7, 0xe0, 0xf1, 0xf2, 0xeb);
  expect(guessEncoding(cyrillic)).toMatch(/GB18030, Shift_JIS or Windows-1251/);
});
