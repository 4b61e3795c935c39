import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { stream } from "../../test/corpus-fixture.ts";
import { backupCommand } from "./backup.ts";
import { clusterCommand } from "./cluster.ts";
import { type CorpusIo, corpusCommand } from "./corpus.ts";
import { exportCommand } from "./export.ts";
import { serveCommand } from "./main.ts";
import { verifyCommand } from "./verify.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-many-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Runs `serve` in this process. */
function serve(...args: readonly string[]) {
  const output = { out: "", err: "" };
  const controller = new AbortController();
  const ended = serveCommand(["--port", "0", ...args], {
    stdout: {
      write: (text) => {
        output.out += text;
      },
    },
    stderr: {
      write: (text) => {
        output.err += text;
      },
    },
    signal: controller.signal,
    program: [process.execPath],
  });
  const stop = () => {
    controller.abort();
    return ended;
  };
  return { output, ended, stop };
}

it("makes an empty directory one for several runs, and then needs no flag to know it", async () => {
  const data = join(directory, "data");
  for (const flags of [["--many"], []]) {
    const server = serve("--data", data, ...flags);
    await vi.waitFor(() => expect(server.output.out).toMatch(/The runs of/), 25_000);
    const origin = /http:\/\/[\w.:]+/.exec(server.output.out)?.[0] ?? "";
    expect(await (await fetch(`${origin}/api/runs`)).json()).toEqual({ runs: [] });
    expect(await (await fetch(`${origin}/readyz`)).json()).toEqual({ status: "ok", runs: 0 });
    const second = serve("--data", data);
    expect(await second.ended).toBe(1);
    expect(second.output.err).toMatch(/another server uses/);
    expect(await server.stop()).toBe(0);
  }
});

it("names the run that it cannot open, and starts", async () => {
  await mkdir(join(directory, "runs", "My Run"), { recursive: true });
  const server = serve("--data", directory);
  await vi.waitFor(
    () => expect(server.output.err).toMatch(/My Run is not served: .*is no name for a run/),
    25_000,
  );
  expect(await server.stop()).toBe(0);
});

it.each([
  ["--from folder", /--from is for a server of one run/],
  ["--volunteers 2", /--volunteers is for a server of one run/],
  ["--mirror d --mirror-url https://cdn.example", /--mirror is for/],
])("refuses %s, which is for one run", async (flags, why) => {
  await mkdir(join(directory, "runs"));
  await writeFile(join(directory, "operator-address"), "");
  const server = serve("--data", directory, ...flags.split(" "));
  expect(await server.ended).toBe(1);
  expect(server.output.err).toMatch(why);
});

it("makes nothing in a directory that holds anything, nor takes another program's runs for its own", async () => {
  await writeFile(join(directory, "thesis.txt"), "x");
  const many = serve("--data", directory, "--many");
  expect(await many.ended).toBe(1);
  expect(many.output.err).toMatch(/is not empty \(thesis\.txt\)/);
  await mkdir(join(directory, "runs", "exp1"), { recursive: true });
  const server = serve("--data", directory);
  await vi.waitFor(() => expect(server.output.out).toMatch(/holds other files and no run/), 25_000);
  expect(await server.stop()).toBe(0);
  expect(await readdir(join(directory, "runs", "exp1"))).toEqual([]);
});

it("serves several host names only where there are several runs", async () => {
  const server = serve("--data", join(directory, "none"), "--create", "--domain", "train.example");
  expect(await server.ended).toBe(1);
  expect(server.output.err).toMatch(/--domain is for a server of several runs/);
});

const COMMANDS: Readonly<Record<string, (io: CorpusIo) => Promise<number>>> = {
  "corpus add": (io) => corpusCommand(["add", "text.txt", "--data", directory], io),
  verify: (io) => verifyCommand([directory], io),
  backup: (io) => backupCommand("backup", [directory, join(directory, "copy")], io),
  "cluster import": (io) => clusterCommand(["import", "nats://127.0.0.1", directory], io),
  export: (io) => exportCommand([directory, "--format", "hf", "--out", join(directory, "model")], io),
};

it.each(Object.entries(COMMANDS))(
  "%s has one of several runs named, and touches nothing",
  async (_, command) => {
    await mkdir(join(directory, "runs", "whales"), { recursive: true });
    let err = "";
    const quiet = { write: () => {} };
    const stderr = { write: (text: string) => (err += text) };
    expect(await command({ stdout: quiet, stderr, stdin: stream(utf8("")) })).toBeGreaterThan(0);
    expect(err).toContain(`name one of them, as ${join(directory, "runs", "whales")}`);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(await readdir(directory)).toEqual(["runs"]);
  },
);
