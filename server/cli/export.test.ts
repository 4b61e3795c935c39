import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { fromHuggingFace, shapeOf } from "../../model/export/from-hugging-face.ts";
import { toTokens } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { RunStatus } from "../../protocol/status.ts";
import { prose } from "../../test/corpus-fixture.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { openDirectory } from "../app/open-directory.ts";
import { addCorpus } from "../corpus/add.ts";
import { fetchModel } from "../export/fetch.ts";
import { parseSettings } from "../run/settings.ts";
import { exportCommand } from "./export.ts";

let directory: string;
let data: string;
/** The run's own word for its model. */
let manifest: Manifest;
let status: RunStatus;
let file: Uint8Array<ArrayBuffer>;
let tokenizer: Uint8Array<ArrayBuffer>;

const quiet = { write() {} };
const open = () => {
  const card = { purpose: "To read aloud.", language: "en" };
  const settings = parseSettings({
    name: "A run",
    card,
    model: { layers: 1, heads: 2, width: 8, context: 16 },
  });
  return openDirectory(data, { settings, log: silentLog, stderr: quiet });
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-export-"));
  data = join(directory, "data");
  await writeFile(join(directory, "text.txt"), prose(40_000));
  await addCorpus({ files: [join(directory, "text.txt")], dataDir: data, vocabulary: 260 });
  const { run, close } = await open();
  if (run === undefined) throw new Error("no run");
  manifest = run.manifest();
  status = run.status();
  file = run.latestSnapshot().bytes;
  tokenizer = Uint8Array.from(run.tokenizer());
  await close();
});
afterAll(() => rm(directory, { recursive: true }));

async function command(...args: string[]) {
  const said = { stdout: "", stderr: "" };
  const code = await exportCommand(args, {
    stdout: { write: (text) => (said.stdout += text) },
    stderr: { write: (text) => (said.stderr += text) },
  });
  return { code, ...said };
}

describe("murmuration export", () => {
  it("writes a folder that reads back as the very weights", async () => {
    const out = join(directory, "hf");
    const { code, stdout, stderr } = await command(data, "--format", "hf", "--out", out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "A run, version 0\n" });
    const names = await readdir(out);
    const files = ["config.json", "model.safetensors", "tokenizer.json", "README.md"];
    expect(names).toEqual(expect.arrayContaining(files));
    expect(await readFile(join(out, "README.md"), "utf8")).toContain("\nTo read aloud.\n");
    expect(stdout.trim().split("\n").toSorted()).toEqual(names.map((name) => join(out, name)).toSorted());
    const read = fromHuggingFace(shapeOf(await readFile(join(out, "config.json"))), [
      { name: "model.safetensors", bytes: await readFile(join(out, "model.safetensors")) },
    ]);
    expect(read.shape).toEqual(manifest.model);
    expect(new Uint8Array(read.weights.buffer, read.weights.byteOffset, read.weights.byteLength)).toEqual(
      file.slice(-4 * manifest.parameters),
    );
    expect(new Uint8Array(await readFile(join(out, "tokenizer.json")))).toEqual(tokenizer);
  });

  it("writes one GGUF, smaller in f16, in place of what is there", async () => {
    const out = join(directory, "model.gguf");
    await writeFile(out, "old");
    expect((await command(data, "--format", "gguf", "--out", out)).code).toBe(0);
    const exact = await readFile(out);
    expect(exact.subarray(0, 4).toString()).toBe("GGUF");
    expect((await command(data, "--format", "gguf", "--type", "f16", "--out", out)).code).toBe(0);
    expect((await readFile(out)).length).toBeLessThan(exact.length);
  });

  it.each([
    [[], "name one data directory"],
    [["d", "e", "--format", "hf", "--out", "o"], "name one data directory"],
    [["d", "--out", "o"], "--format is hf or gguf"],
    [["d", "--format", "onnx", "--out", "o"], "--format is hf or gguf"],
    [["d", "--format", "hf", "--type", "f16", "--out", "o"], "--type is for"],
    [["d", "--format", "gguf", "--type", "q4", "--out", "o"], "--type is f32 or f16"],
    [["d", "--format", "hf"], "--out says where"],
    [["d", "--frobnicate"], "frobnicate"],
  ])("%j is refused with 2, and how to ask", async (args, why) => {
    const { code, stderr } = await command(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
    expect(stderr).toContain("Usage: murmuration export");
  });

  it("fails with 1 and a line where there is no run, and makes none", async () => {
    const empty = join(directory, "none");
    const { code, stderr } = await command(empty, "--format", "hf", "--out", join(directory, "x"));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `murmuration export: there is no run in ${empty}\n`,
    });
    expect(await readdir(directory)).not.toContain("none");
    const text = join(directory, "text-only");
    await addCorpus({ files: [join(directory, "text.txt")], dataDir: text, vocabulary: 260 });
    expect((await command(text, "--format", "hf", "--out", join(directory, "x"))).stderr).toContain(
      "no run yet",
    );
  });

  it("exports a directory that a server has for itself, and leaves nothing else behind", async () => {
    const { close } = await open();
    try {
      await expect(open()).rejects.toThrow("another server uses"); // nobody else may open it
      const place = join(directory, "busy");
      const out = join(place, "model.gguf");
      const { code, stderr } = await command(data, "--format", "gguf", "--out", out);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "A run, version 0\n" });
      expect((await readFile(out)).subarray(0, 4).toString()).toBe("GGUF");
      expect(await readdir(place)).toEqual(["model.gguf"]);
    } finally {
      await close();
    }
  });
});

describe("a model from a served run", () => {
  const server = "https://host.example/train";
  /** A server whose answers may be bent. */
  const serving =
    (bend: (path: string, bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (_, bytes) => bytes) =>
    async (input: unknown) => {
      const pathname = String(input).slice(server.length);
      const bodies: Record<string, Uint8Array<ArrayBuffer>> = {
        [ROUTES.manifest]: new TextEncoder().encode(JSON.stringify(manifest)),
        [ROUTES.latestSnapshot]: file,
        [ROUTES.tokenizer]: tokenizer,
        [ROUTES.run]: new TextEncoder().encode(JSON.stringify(status)),
      };
      const body = bodies[pathname];
      return body === undefined ? new Response("", { status: 404 }) : new Response(bend(pathname, body));
    };

  it("is what the run says it is", async () => {
    const model = await fetchModel(server, serving());
    expect(model.manifest).toEqual(manifest);
    expect(await sha256(model.file)).toBe(manifest.hash);
    expect(Uint8Array.from(model.tokenizer)).toEqual(tokenizer);
  });

  it("knows how many bytes of text a token of the held-out text has", async () => {
    const [shard] = JSON.parse(await readFile(join(data, "corpus.json"), "utf8")).splits.heldOut;
    const text = toTokens(await readFile(join(data, "shards", shard.hash)));
    const decoded = new TextEncoder().encode(loadTokenizer(tokenizer).decode(text)).length;
    // All of this short text is measured on, but for its ends: windows leave what makes no whole context.
    expect(status.bytesPerToken).toBeCloseTo(decoded / text.length, 1);
  });

  it("says of itself what the run's card says, and nothing where the server is of a release without cards", async () => {
    expect((await fetchModel(server, serving())).about).toMatchObject({ card: { language: "en" } });
    const { card: _, ...before } = status;
    const old = (path: string, bytes: Uint8Array<ArrayBuffer>) =>
      path === ROUTES.run ? new TextEncoder().encode(JSON.stringify(before)) : bytes;
    expect((await fetchModel(server, serving(old))).about.card).toEqual({});
  });

  it("is read again where a version came in between", async () => {
    let times = 0;
    const older = (path: string, bytes: Uint8Array<ArrayBuffer>) =>
      path === ROUTES.latestSnapshot && times++ === 0 ? bytes.slice(1) : bytes;
    expect(await sha256((await fetchModel(server, serving(older))).file)).toBe(manifest.hash);
    expect(times).toBe(2);
  });

  it.each([
    [ROUTES.latestSnapshot, "never had the hash"],
    [ROUTES.tokenizer, "the tokenizer's bytes"],
    [ROUTES.manifest, "serves no run that this program understands"],
    [ROUTES.run, "serves no run that this program understands"],
  ])("is refused with other bytes at %s", async (where, why) => {
    const bent = (path: string, bytes: Uint8Array<ArrayBuffer>) => (path === where ? bytes.slice(1) : bytes);
    await expect(fetchModel(server, serving(bent))).rejects.toThrow(why);
  });

  it("is reported as away, or as missing", async () => {
    const away = async () => {
      throw new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") });
    };
    await expect(fetchModel(server, away)).rejects.toThrow("does not answer: ECONNREFUSED");
    const cut = async () =>
      new Response(new ReadableStream({ start: (controller) => controller.error(new Error("cut")) }));
    await expect(fetchModel(server, cut)).rejects.toThrow("does not answer: cut");
  });

  const html = { "content-type": "text/html" };
  it.each([
    ["a proxy without its server", new Response("", { status: 503 }), /answered 503: .*must start it/],
    ["a proxy that forbids", new Response("no", { status: 403 }), /answered 403: .*log in first/],
    ["a login page", new Response("<form>", { headers: html }), /answered 200: a web page came/],
    ["a redirect", new Response("", { status: 302 }), /answered 302: the answer was a redirect/],
    [
      "the server's own refusal, the control",
      Response.json({ error: { code: "no-run", message: "there is no run" } }, { status: 404 }),
      /^https:[^ ]+: there is no run$/,
    ],
  ])("is refused with what to do where %s answers", async (_, answer, line) => {
    await expect(fetchModel(server, async () => answer.clone())).rejects.toThrow(line);
  });
});
