import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasUpload, kindOf } from "./directory.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-directory-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const put = (name: string) => writeFile(join(directory, name), "");

describe("what a data directory is", () => {
  it("is empty when it is missing, or holds only what is incidental", async () => {
    expect(await kindOf(join(directory, "none"))).toBe("empty");
    expect(await kindOf(directory)).toBe("empty");
    await put("lock");
    await put(".DS_Store");
    await mkdir(join(directory, ".adding-123-x"));
    expect(await kindOf(directory)).toBe("empty");
  });

  it("is empty still while an operator brings a text, and says that one does", async () => {
    for (const name of ["operator-link.json", "operator-address", "operator-log.jsonl"]) await put(name);
    expect(await hasUpload(directory)).toBe(false);
    await mkdir(join(directory, ".uploading"));
    expect(await kindOf(directory)).toBe("empty");
    expect(await hasUpload(directory)).toBe(true);
  });

  it("is ours with a corpus, whatever else lies there", async () => {
    await put("corpus.json");
    await put("notes.txt");
    expect(await kindOf(directory)).toBe("ours");
  });

  it("is foreign with any file that is not ours, and looking changes nothing", async () => {
    await put("holiday.jpg");
    expect(await kindOf(directory)).toBe("foreign");
    expect(await readdir(directory)).toEqual(["holiday.jpg"]);
  });

  it("is refused where it is a file, or a run with its corpus gone", async () => {
    await put("file");
    await expect(kindOf(join(directory, "file"))).rejects.toThrow(/is not a directory/);
    await mkdir(join(directory, "journal"));
    await expect(kindOf(directory)).rejects.toThrow(/no corpus\.json/);
  });
});
