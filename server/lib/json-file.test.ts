import { describe, expect, it } from "vitest";
import { parseJsonFile } from "./json-file.ts";

const JSON_TEXT = '{"name": "Wäl", "seed": 7}';
const VALUE = { name: "Wäl", seed: 7 };
const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();

describe("a JSON file that a person wrote", () => {
  it.each([
    ["UTF-8", Buffer.from(JSON_TEXT)],
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${JSON_TEXT}`)],
    ["UTF-16LE with a byte order mark", Buffer.from(`\ufeff${JSON_TEXT}`, "utf16le")],
    ["UTF-16LE without one", Buffer.from(JSON_TEXT, "utf16le")],
    ["UTF-16BE with a byte order mark", utf16be(`\ufeff${JSON_TEXT}`)],
    ["UTF-16BE without one", utf16be(JSON_TEXT)],
  ])("is read in %s", (_, bytes) => {
    expect(parseJsonFile(bytes)).toEqual(VALUE);
  });

  it("is refused by name in UTF-32 and in Latin-1; control: their bytes as UTF-8 are no JSON", () => {
    const utf32 = Buffer.concat([...JSON_TEXT].map((one) => Buffer.from([one.charCodeAt(0), 0, 0, 0])));
    expect(() => parseJsonFile(utf32)).toThrow(/UTF-32LE/);
    const latin1 = Buffer.from(JSON_TEXT, "latin1");
    expect(() => parseJsonFile(latin1)).toThrow(/not UTF-8/);
    expect(() => JSON.parse(utf32.toString())).toThrow(SyntaxError);
  });
});
