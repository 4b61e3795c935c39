import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { stream } from "../../test/corpus-fixture.ts";
import { directory, makeDirectory, removeDirectory, serve } from "../../test/harness/served.ts";
import { backupCommand } from "./backup.ts";
import { clusterCommand } from "./cluster.ts";
import { type CorpusIo, corpusCommand } from "./corpus.ts";
import { exportCommand } from "./export.ts";
import { verifyCommand } from "./verify.ts";

beforeEach(makeDirectory);
afterEach(removeDirectory);

it("makes an empty directory one for several runs, and then needs no flag to know it", async () => {
  const data = join(directory, "data");
  for (const flags of [["--many"], []]) {
    const server = serve(["--port", "0", "--data", data, ...flags]);
    await vi.waitFor(() => expect(server.output.out).toMatch(/The runs of/), 25_000);
    const origin = /http:\/\/[\w.:]+/.exec(server.output.out)?.[0] ?? "";
    expect(await (await fetch(`${origin}/api/runs`)).json()).toEqual({ runs: [] });
    expect(await (await fetch(`${origin}/readyz`)).json()).toEqual({ status: "ok", runs: 0 });
    const second = serve(["--port", "0", "--data", data]);
    expect(await second.ended).toBe(1);
    expect(second.output.err).toMatch(/another server uses/);
    expect(await server.stop()).toBe(0);
  }
});

it("names the run that it cannot open, and starts", async () => {
  await mkdir(join(directory, "runs", "My Run"), { recursive: true });
  const server = serve(["--port", "0", "--data", directory]);
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
  const server = serve(["--port", "0", "--data", directory, ...flags.split(" ")]);
  expect(await server.ended).toBe(1);
  expect(server.output.err).toMatch(why);
});

it("makes nothing in a directory that holds anything, nor takes another program's runs for its own", async () => {
  await writeFile(join(directory, "thesis.txt"), "x");
  const many = serve(["--port", "0", "--data", directory, "--many"]);
  expect(await many.ended).toBe(1);
  expect(many.output.err).toMatch(/is not empty \(thesis\.txt\)/);
  await mkdir(join(directory, "runs", "exp1"), { recursive: true });
  const server = serve(["--port", "0", "--data", directory]);
  await vi.waitFor(() => expect(server.output.out).toMatch(/holds other files and no run/), 25_000);
  expect(await server.stop()).toBe(0);
  expect(await readdir(join(directory, "runs", "exp1"))).toEqual([]);
});

it("serves several host names only where there are several runs", async () => {
  const server = serve([
    "--port",
    "0",
    "--data",
    join(directory, "none"),
    "--create",
    "--domain",
    "train.example",
  ]);
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
