import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyString, collect, failure, stream } from "../../test/corpus-fixture.ts";
import { decodeUtf8 } from "./utf8.ts";

const decode = async (...chunks: Uint8Array[]) =>
  (await collect(decodeUtf8(stream(...chunks), "a.txt"))).join("");

/** The bytes in chunks whose lengths are drawn. */
function chop(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...chunks, bytes.subarray(at)];
}

const lengths = fc.array(fc.nat(6), { maxLength: 30 });

describe("decodeUtf8", () => {
  it("gives the text back wherever the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(anyString, lengths, async (text, cuts) => {
        const clean = text.toWellFormed().replace(/^\ufeff/, "");
        expect(await decode(...chop(new TextEncoder().encode(clean), cuts))).toBe(clean);
      }),
    );
  });

  it("refuses what is not UTF-8, and says where its longest valid beginning ends", async () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x41, 0xc3, 0xa9, 0xe2, 0x80, 0xf0, 0x9f, 0xed, 0xff));
    await fc.assert(
      fc.asyncProperty(fc.array(byte, { maxLength: 24 }), lengths, async (values, cuts) => {
        const bytes = Uint8Array.from(values);
        let valid = bytes.length;
        while (!isUtf8(bytes.subarray(0, valid))) valid -= 1;
        const { code, message } = await failure(decode(...chop(bytes, cuts)));
        if (valid === bytes.length) expect(code).toBe("nothing failed");
        else
          expect([code, message]).toEqual([
            "not-utf8",
            expect.stringContaining(`a.txt is not UTF-8: byte ${valid} begins no character. It `),
          ]);
      }),
      { numRuns: 500 },
    );
  });

  it("drops a byte order mark at the start, and only there", async () => {
    expect(await decode(new TextEncoder().encode("\ufeffa\ufeffb"))).toBe("a\ufeffb");
  });
});
