import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prose } from "../../test/corpus-fixture.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { openDirectory } from "../app/open-directory.ts";
import { addCorpus } from "../corpus/add.ts";
import { parseSettings } from "../run/settings.ts";
import { questionsCommand } from "./questions.ts";

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-questions-"));
  data = join(directory, "data");
  await writeFile(join(directory, "text.txt"), prose(40_000));
  await addCorpus({ files: [join(directory, "text.txt")], dataDir: data, vocabulary: 260 });
});
afterAll(() => rm(directory, { recursive: true }));

async function command(...args: string[]) {
  const said = { stdout: "", stderr: "" };
  const code = await questionsCommand(args, {
    stdout: { write: (text) => (said.stdout += text) },
    stderr: { write: (text) => (said.stderr += text) },
  });
  return { code, ...said };
}

const open = () => {
  const settings = parseSettings({ model: { layers: 1, heads: 2, width: 8, context: 16 } });
  return openDirectory(data, { settings, log: silentLog, stderr: { write() {} } });
};

describe("murmuration questions", () => {
  it("keeps a set that the run's versions then answer, and no other in its place", async () => {
    const before = await open();
    expect(before.run?.status().questions).toBeNull(); // the control
    await before.close();
    const first = await command("english", "--data", data);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(/^\d+ questions, of which guessing answers 25%\n$/);
    expect((await command("english", "--data", data)).code).toBe(0);
    const other = join(directory, "other.jsonl");
    await writeFile(other, '{"prompt":"a","choices":["b","c"],"answer":0}\n');
    const refused = await command(other, "--data", data);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("has other questions already");
    const after = await open();
    expect(after.run?.status().questions).toMatchObject({ chance: 0.25 });
    await after.close();
  });

  it("names a damaged set when the run is opened", async () => {
    const file = join(data, "questions.jsonl");
    const kept = await readFile(file);
    await writeFile(file, "{}\n");
    await expect(open()).rejects.toThrow("questions.jsonl: line 1: prompt");
    await writeFile(file, kept);
  });

  it.each([
    [[], "name one file"],
    [["a", "b"], "name one file"],
    [["a", "--frobnicate"], "frobnicate"],
  ])("%j is refused with 2, and how to ask", async (args, why) => {
    const { code, stderr } = await command(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
    expect(stderr).toContain("Usage: murmuration questions");
  });

  it("fails with 1 and a line for a file that is missing or none, and where there is no run", async () => {
    expect(await command(join(directory, "none.jsonl"), "--data", data)).toMatchObject({ code: 1 });
    const bad = join(directory, "bad.jsonl");
    await writeFile(bad, '{"prompt":"a"}');
    expect((await command(bad, "--data", data)).stderr).toBe(
      `murmuration questions: ${bad}: line 1: choices must be an array of at most 8\n`,
    );
    expect((await command("english", "--data", join(directory, "empty"))).stderr).toContain("no run");
  });
});
