import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { collect, failure, stream, temporary } from "../../test/corpus-fixture.ts";
import type { CorpusError } from "./error.ts";
import { findSource, readText } from "./read.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The text of files made for the occasion, by name. */
async function readFiles(files: Record<string, string | Uint8Array>, field = "text"): Promise<string> {
  await using dir = await temporary();
  const sources = [];
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(dir.path, name), content);
    sources.push(await findSource(join(dir.path, name), stream(), "text"));
  }
  return (await collect(readText(sources, field, () => {}))).join("");
}

const find = (file: string) => findSource(file, stream(), "text");

describe("readText", () => {
  it("reads text, Markdown, JSON lines and gzip of each, with an empty line between documents", async () => {
    const text = await readFiles({
      "a.txt": "one",
      "b.MD": "# two",
      "c.jsonl": '{"text":"three","id":1}\n\n{"text":""}\r\n{"text":"four\\n"}',
      "d.txt.gz": gzipSync("five é"),
      "e.jsonl.gz": gzipSync('{"text":"six"}\n'),
      "f.txt": "",
    });
    expect(text).toBe("one\n\n# two\n\nthree\n\nfour\n\n\nfive é\n\nsix");
  });

  it("joins a document that comes in many pieces without a break", async () => {
    const long = "word ".repeat(200_000);
    expect(await readFiles({ "a.txt": long, "b.txt": "end" })).toBe(`${long}\n\nend`);
  });

  it("reads the given field, and lines that span pieces", async () => {
    const long = "é".repeat(300_000);
    expect(await readFiles({ "a.jsonl": `{"body":"${long}"}\n{"body":"x"}` }, "body")).toBe(`${long}\n\nx`);
  });

  it("reads standard input as text or, when told, as JSON lines", async () => {
    const input = () => stream(bytes('{"text":'), bytes('"a"}\n'));
    const text = await findSource("-", input(), "text");
    expect(await collect(readText([text], "text", () => {}))).toEqual(['{"text":"a"}\n']);
    const lines = await findSource("-", input(), "jsonl");
    expect(await collect(readText([lines], "text", () => {}))).toEqual(["a"]);
    expect([lines.name, lines.size]).toEqual(["stdin", undefined]);
  });

  it("makes lone surrogates, which JSON can spell, U+FFFD", async () => {
    expect(await readFiles({ "a.jsonl": '{"text":"a\\ud83db"}' })).toBe("a\ufffdb");
  });

  it("counts the bytes of each source, before unpacking", async () => {
    await using dir = await temporary();
    const packed = gzipSync("aaaa ".repeat(1_000));
    await writeFile(join(dir.path, "a.txt"), "abc");
    await writeFile(join(dir.path, "b.txt.gz"), packed);
    const sources = [await find(join(dir.path, "a.txt")), await find(join(dir.path, "b.txt.gz"))];
    const counted = [0, 0];
    await collect(
      readText(sources, "text", (source, more) => {
        counted[source]! += more;
      }),
    );
    expect(counted).toEqual([3, packed.length]);
    expect(sources.map(({ size }) => size)).toEqual(counted);
  });

  it.each([
    [
      "bytes that are not UTF-8",
      { "a.txt": Uint8Array.of(0x41, 0xff) },
      "not-utf8",
      'a.txt is not UTF-8: byte 1 begins no character. It looks like Latin-1 or Windows-1252: try "iconv -f WINDOWS-1252 -t UTF-8"',
    ],
    [
      "gzip of bytes that are not UTF-8",
      { "a.txt.gz": gzipSync(Uint8Array.of(0x80)) },
      "not-utf8",
      'a.txt.gz is not UTF-8: byte 0 begins no character. It looks like Latin-1 or Windows-1252: try "iconv -f WINDOWS-1252 -t UTF-8"',
    ],
    [
      "something else than gzip",
      { "a.txt.gz": "plain" },
      "bad-gzip",
      "a.txt.gz is not whole gzip data (Z_DATA_ERROR)",
    ],
    [
      "gzip that stops early",
      { "a.txt.gz": gzipSync("hello, hello").subarray(0, 20) },
      "bad-gzip",
      "a.txt.gz is not whole gzip data (Z_BUF_ERROR)",
    ],
    ["a line that is not JSON", { "a.jsonl": '{"text":"a"}\n{' }, "bad-json", "a.jsonl, line 2 is not JSON"],
    [
      "a line that is not an object",
      { "a.jsonl": "\n[1]" },
      "bad-json",
      "a.jsonl, line 2 is an array, not a JSON object",
    ],
    [
      "a field that is null",
      { "a.jsonl": '{"text":"a"}\n{"text":null,"id":1}' },
      "unknown-field",
      'a.jsonl, line 2: the field "text" is null, not text',
    ],
    [
      "NaN, which Python writes",
      { "a.jsonl": '{"text":"a","score":NaN}' },
      "bad-json",
      "a.jsonl, line 1 is not JSON: NaN is Python's and not JSON's, which has null",
    ],
    [
      "a line without the field",
      { "a.jsonl": '{"body":"a","id":1}' },
      "unknown-field",
      'a.jsonl, line 1 has no field "text" (it has: body, id)',
    ],
    [
      "a field that is not text",
      { "a.jsonl": '{"text":1}' },
      "unknown-field",
      'a.jsonl, line 1: the field "text" is a number, not text',
    ],
    [
      "a field only its prototype has",
      { "a.jsonl": "{}" },
      "unknown-field",
      'a.jsonl, line 1 has no field "toString" (it has: )',
      "toString",
    ],
  ])("refuses %s", async (_, files, code, message, field = "text") => {
    expect(await failure(readFiles(files, field))).toEqual({ code, message });
  });
});

describe("lines of JSON that have no text", () => {
  const lines = ['{"text":"a"}', '{"text":null}', "[1]", '{"text":NaN}', "{}", '{"text":"b"}'];

  it("are left out and told where that is asked; control: otherwise the first of them is refused", async () => {
    const source = { name: "a.jsonl", kind: "jsonl", gzip: false, size: undefined } as const;
    const read = (onBadLine?: (error: CorpusError) => void) => {
      const open = () => stream(bytes(lines.join("\n")));
      return collect(readText([{ ...source, open }], "text", () => {}, onBadLine));
    };
    const left: string[] = [];
    expect(await read(({ code }) => left.push(code))).toEqual(["a", "\n\n", "b"]);
    expect(left).toEqual(["unknown-field", "bad-json", "bad-json", "unknown-field"]);
    expect((await failure(read())).message).toBe('a.jsonl, line 2: the field "text" is null, not text');
  });

  it("name an array of many lines for what it is", async () => {
    for (const text of ['[\n{"text":"a"}\n]', '[{"text":"a"},\n{"text":"b"}]']) {
      expect((await failure(readFiles({ "a.jsonl": text }))).message).toMatch(/line 1 is not JSON.*jq -c/);
    }
  });
});

describe("findSource", () => {
  it("refuses a name it cannot read, before anything is read", async () => {
    await using dir = await temporary();
    expect((await failure(find("book.pdf"))).code).toBe("unknown-type");
    expect((await failure(find("book.gz"))).code).toBe("unknown-type");
    expect((await failure(find(join(dir.path, "none.txt")))).code).toBe("no-such-file");
    await mkdir(join(dir.path, "folder.txt"));
    expect((await failure(find(join(dir.path, "folder.txt")))).code).toBe("unreadable");
  });

  it.skipIf(process.getuid?.() === 0)("refuses a file it may not open", async () => {
    await using dir = await temporary();
    const file = join(dir.path, "secret.txt");
    await writeFile(file, "x");
    await chmod(file, 0);
    const source = await find(file);
    expect((await failure(collect(readText([source], "text", () => {})))).code).toBe("unreadable");
  });
});
