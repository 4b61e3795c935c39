import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { Random } from "../../model/lib/random.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { listing, prose, stream, temporary } from "../../test/corpus-fixture.ts";
import { parquetOf } from "../../test/parquet-fixture.ts";
import { readCorpus } from "../corpus/shards.ts";
import { corpusCommand } from "./corpus.ts";

/** Runs the command with what it writes kept. */
async function run(
  args: string[],
  { input = "", isTTY = false, signal = undefined as AbortSignal | undefined } = {},
) {
  const written = { stdout: "", stderr: "" };
  const output = (name: keyof typeof written) => ({
    isTTY,
    write(text: string) {
      written[name] += text;
    },
  });
  const code = await corpusCommand(args, {
    stdout: output("stdout"),
    stderr: output("stderr"),
    stdin: stream(utf8(input)),
    signal,
  });
  return { code, ...written };
}

describe("corpusCommand", () => {
  it("adds files and sums up what was made", async () => {
    await using dir = await temporary();
    await writeFile(join(dir.path, "a.txt"), prose(50_000));
    const data = join(dir.path, "data");
    const { code, stdout, stderr } = await run([
      "add",
      join(dir.path, "a.txt"),
      "--data",
      data,
      "--vocab",
      "400",
    ]);
    const { index } = await readCorpus(data);
    expect(code).toBe(0);
    expect(index.vocabulary).toBe(400);
    const lines = stdout.split("\n");
    expect(lines[0]).toBe(
      `Made a corpus in ${data}: ${index.tokens.toLocaleString("en-US")} tokens from 50.2 kB of text`,
    );
    expect(stdout).toMatch(/^ {2}vocabulary {2}400, \d\.\d\d bytes a token$/m);
    expect(stdout).toMatch(/^ {2}train +[\d,]+ tokens \(\d\d\.\d%\) in 1 shard$/m);
    expect(stdout).toContain(`  unigram     ${index.baselines.unigram.toFixed(3)} nats a token`);
    expect(stderr).toBe(
      "Reading and splitting …\nCounting words …\nMerging byte pairs …\nWriting shards …\n",
    );
  });

  it("draws a bar on a terminal, one line a stage", async () => {
    await using dir = await temporary();
    const args = ["add", "-", "--data", join(dir.path, "data")];
    const { stderr } = await run(args, { input: prose(50_000), isTTY: true });
    const shown = stderr.split("\n").map((line) => line.split("\r").at(-1));
    expect(shown[0]).toBe("Reading and splitting  50.2 kB"); // a stream has no known end
    expect(shown[3]).toBe(`Writing shards         ${"█".repeat(30)} 100%`);
    expect(shown).toHaveLength(5);
  });

  it("reads JSON lines from standard input when a field is named", async () => {
    await using dir = await temporary();
    const input = prose(50_000)
      .split("\n\n")
      .map((text) => JSON.stringify({ body: text }))
      .join("\n");
    const { code } = await run(["add", "-", "--field", "body", "--data", join(dir.path, "data")], { input });
    expect(code).toBe(0);
  });

  it("with --skip-bad-lines leaves out lines of JSON without text, and counts them", async () => {
    await using dir = await temporary();
    const good = prose(50_000)
      .split("\n\n")
      .map((text) => JSON.stringify({ text }));
    const input = [good[0], '{"text":null}', "[1]", '{"text":NaN}', ...good.slice(1)].join("\n");
    const args = ["add", "-", "--field", "text", "--data", join(dir.path, "data")];
    const refused = await run(args, { input });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('stdin, line 2: the field "text" is null, not text [unknown-field]');
    const taken = await run([...args, "--skip-bad-lines"], { input });
    expect(taken.code).toBe(0);
    expect(taken.stderr).toContain("left out 3 lines without text; the first: stdin, line 2");
    const { code, stderr } = await run([...args.slice(0, -1), join(dir.path, "other"), "--skip-bad-lines"], {
      input: "[1]\n[2]",
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /no text in stdin: left out 2 lines without text; the first: stdin, line 1 .*\[empty\]/,
    );
  });

  it.each([
    ["DNA in lines of 80", (random: Random) => [80, "ACGT", random] as const],
    ["DNA in one line", (random: Random) => [60_000, "ACGT", random] as const],
    [
      "Chinese without punctuation",
      (random: Random) => [20_000, "的一是不了人我在有他这中大来上国个到说们", random] as const,
    ],
  ])("makes a vocabulary of %s, whose words have no end, and every token of it comes back", async (_, of) => {
    await using dir = await temporary();
    const [line, letters, random] = of(new Random(5));
    const text = Array.from({ length: 60_000 }, (_, i) =>
      i % line === line - 1 ? "\n" : letters[random.below(letters.length)],
    ).join("");
    const data = join(dir.path, "data");
    const { code, stderr } = await run(["add", "-", "--data", data, "--vocab", "300"], { input: text });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { index, tokenizer, readShard } = await readCorpus(data);
    expect(index.vocabulary).toBe(300);
    expect(index.bytes / index.tokens).toBeGreaterThan(1.5); // merges were found
    const shard = await readShard(index.splits.train[0]!.hash);
    const back = loadTokenizer(tokenizer).decode(shard);
    expect(back.length).toBeGreaterThan(40_000);
    expect(new Set(back)).toEqual(new Set(text));
  });

  it("warns of a tokenizer that loses text, with the share; control: one that loses none", async () => {
    await using dir = await temporary();
    const input = prose(50_000).replaceAll("e", "E");
    const args = (name: string) => ["add", "-", "--data", join(dir.path, name)];
    const own = await run([...args("own"), "--vocab", "300"], { input });
    expect(own.stderr).not.toContain("loses");
    const file = join(dir.path, "own", "tokenizer.json");
    const silent = await run([...args("same"), "--tokenizer", file], { input });
    expect(silent.stderr).not.toContain("loses");
    const lowering = { ...JSON.parse(await readFile(file, "utf8")), normalizer: { type: "Lowercase" } };
    await writeFile(file, JSON.stringify(lowering));
    const { code, stderr } = await run([...args("other"), "--tokenizer", file], { input });
    expect(code).toBe(0);
    expect(stderr).toMatch(/the tokenizer loses text: 1?\d\.\d% of the characters do not come back/);
  });

  it("says what went wrong, with its code, and exits with 1", async () => {
    await using dir = await temporary();
    const data = join(dir.path, "data");
    const { code, stdout, stderr } = await run(["add", "-", "--data", data], { input: "too little" });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/\nmurmuration corpus: .+ \[(bad-vocab|too-short)\]\n$/);
    expect(await listing(dir.path)).toEqual([]);
  });

  it("stops on a signal with nothing kept, and exits with 130", async () => {
    await using dir = await temporary();
    const data = join(dir.path, "data");
    const { code, stderr } = await run(["add", "-", "--data", data], {
      input: prose(50_000),
      signal: AbortSignal.abort(),
    });
    expect([code, stderr]).toEqual([130, "murmuration corpus: stopped; nothing was kept\n"]);
    expect(await listing(dir.path)).toEqual([]);
  });

  it("reads a column of a Parquet file, to the same shards as the same texts in lines of JSON", async () => {
    await using dir = await temporary();
    const texts = prose(60_000).split("\n\n");
    const [columns, lines] = [join(dir.path, "a.parquet"), join(dir.path, "a.jsonl")];
    await writeFile(columns, parquetOf({ id: texts.map((_, i) => i), body: texts }));
    await writeFile(lines, texts.map((body) => JSON.stringify({ body })).join("\n"));
    const shards = async (file: string, data: string) => {
      const made = await run(["add", file, "--data", data, "--vocab", "300", "--field", "body"]);
      expect(made).toMatchObject({ code: 0 });
      return (await readCorpus(data)).index.splits;
    };
    const [one, two] = [join(dir.path, "one"), join(dir.path, "two")];
    expect(await shards(columns, one)).toEqual(await shards(lines, two));
    const refused = await run(["add", columns, "--data", join(dir.path, "three")]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('a.parquet has no column "text" (it has: id, body) [unknown-field]\n');
  });

  it.each([
    [[], "say what to do: add"],
    [["remove"], 'there is no "remove", only add'],
    [["add"], "name at least one file"],
    [["add", "-", "-"], "- can be named once"],
    [["add", "a.txt", "--vocab", "lots"], "--vocab takes a whole number"],
    [
      ["add", "a.txt", "--vocab", "512", "--tokenizer", "t.json"],
      "--vocab and --tokenizer exclude each other",
    ],
    [["add", "a.txt", "--speed", "9"], "Unknown option '--speed'"],
    [["add", "a.txt", "--data"], "--data"],
  ])("refuses %j, shows the usage, and exits with 2", async (args, why) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(why);
    expect(stderr).toContain("Usage: murmuration corpus add FILE…");
  });

  it("explains itself", async () => {
    const { code, stdout } = await run(["--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("--tokenizer FILE");
  });
});
