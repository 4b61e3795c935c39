import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const exec = promisify(execFile);
const root = join(import.meta.dirname, "..");
/** Milliseconds: a build and an install from the registry, on a busy machine. */
const PATIENCE = 600_000;
/** Packages of a production install, the package itself among them, and their bytes on the disk. */
const MAX_PACKAGES = 45;
const MAX_BYTES = 95_000_000;

let folder: string;
let installed: string;
const npm = (args: readonly string[], cwd: string) =>
  exec("npm", [...args], { cwd, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
const murmuration = (...args: string[]) =>
  exec(process.execPath, [join(installed, "node_modules/.bin/murmuration"), ...args], { encoding: "utf8" });

/** A clone as git would make it, with the packages of this one. */
async function clone(to: string): Promise<void> {
  const { stdout } = await exec("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" });
  for (const file of stdout.split("\0").filter(Boolean)) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await cp(join(root, file), join(to, file));
  }
  await symlink(join(root, "node_modules"), join(to, "node_modules"));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "murmuration-package-"));
  const source = join(folder, "clone");
  await clone(source);
  await npm(["pack", "--silent", "--pack-destination", folder], source);
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack made no tarball");
  installed = join(folder, "installed");
  await mkdir(installed);
  await writeFile(join(installed, "package.json"), '{ "private": true, "type": "module" }\n');
  await npm(["install", "--no-audit", "--no-fund", "--prefer-offline", join(folder, tarball)], installed);
}, PATIENCE);
afterAll(() => rm(folder, { recursive: true, force: true }), PATIENCE);

it("packed from a clean clone and installed into an empty folder, the program says its version", async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  expect((await murmuration("--version")).stdout).toBe(`${version}\n`);
});

it("installed, it serves the default run with a volunteer that trains, and verifies it", {
  timeout: PATIENCE,
}, async () => {
  const data = join(folder, "data");
  const run = join(folder, "run.json");
  await writeFile(run, JSON.stringify({ model: { layers: 1, heads: 1, width: 16, context: 16 }, steps: 3 }));
  const program = join(installed, "node_modules/.bin/murmuration");
  const args = ["serve", "--port", "0", "--data", data, "--run", run, "--volunteers", "1"];
  const server = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(server, "exit");
  let origin = "";
  for await (const line of createInterface({ input: server.stdout })) {
    said += `${line}\n`;
    origin ||= /volunteer\s+(http\S+?)\/?$/.exec(line)?.[1] ?? "";
    if (/^version 1:/.test(line)) break;
  }
  expect(origin, said).not.toBe("");
  for (const path of ["/", "/embed.js", "/status"]) expect((await fetch(origin + path)).status).toBe(200);
  server.kill("SIGTERM");
  expect((await ended)[0]).toBe(0);
  const { stdout } = await murmuration("verify", data);
  expect(stdout).toMatch(/every hash, link and signature fits/);
});

it("installed, murmuration/embed can be imported, and nothing of the tests or the bundler's side is there", async () => {
  const script = 'import * as embed from "murmuration/embed"; console.log(Object.keys(embed).length > 0);';
  await writeFile(join(installed, "try.mjs"), script);
  const { stdout } = await exec(process.execPath, ["try.mjs"], { cwd: installed, encoding: "utf8" });
  expect(stdout).toBe("true\n");
  const files = await readdir(join(installed, "node_modules/murmuration"), { recursive: true });
  expect(files.filter((name) => /\.test\.|\.spec\.|dist\/node\/(?:test|bench|vite)/.test(name))).toEqual([]);
  expect(files).toContain("dist/texts/moby-dick/chapter_1.txt");
});

it("installed, it brings few packages, and little of them", async () => {
  const { stdout } = await npm(["ls", "--all", "--parseable"], installed);
  // The first line is the folder that it was installed into.
  const packages = stdout.trim().split("\n").slice(1);
  expect(packages.length, packages.join("\n")).toBeLessThanOrEqual(MAX_PACKAGES);
  expect(await bytesIn(join(installed, "node_modules"))).toBeLessThanOrEqual(MAX_BYTES);
});

async function bytesIn(directory: string): Promise<number> {
  const { stat } = await import("node:fs/promises");
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
