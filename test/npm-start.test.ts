import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addCorpus } from "../server/corpus/add.ts";
import { prose } from "./corpus-fixture.ts";

/**
 * The two processes of `npm start`. That a second one is ready within five seconds is counted by what a busy machine
 * cannot blur: the files that each process loads, and the processor time that it takes.
 */
const root = join(import.meta.dirname, "..");
const TRACER = pathToFileURL(join(import.meta.dirname, "harness/start-trace.ts")).href;
/** Printed once the server takes requests. */
const READY = "/operator#link=";
/** What only a build loads. */
const BUILDERS = /^node_modules\/(?:vite|rolldown|@rolldown|typescript|typescript-7|assemblyscript)\//;
/**
 * Milliseconds of the processor, all threads together: to find that nothing has changed, and until the server is ready.
 * Measured 260 and 1,480; 280 and 2,440 on two cores with twenty other programs.
 */
const MAX_LOOK_MS = 1_000;
const MAX_READY_MS = 3_500;

let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "murmuration-start-"));
});
afterAll(() => rm(data, { recursive: true, force: true }));

interface Traced {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Paths from this clone's root. */
  readonly loaded: readonly string[];
  readonly processorMs: number;
}

/** Runs Node to its end, or until the server that it is says that it is ready: then it is asked, and stopped. */
async function traced(args: readonly string[]): Promise<Traced> {
  const trace = join(data, "trace.json");
  const child = spawn(process.execPath, ["--import", TRACER, ...args], {
    cwd: root,
    env: { ...process.env, START_TRACE: trace, START_TRACE_UNTIL: READY },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let [stdout, stderr] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    stdout += `${line}\n`;
    const origin = /(http:\S+)\/operator#link=/.exec(line)?.[1];
    if (origin === undefined) continue;
    expect((await fetch(`${origin}/readyz`)).status).toBe(200);
    child.kill("SIGTERM");
  }
  const [status] = await ended;
  const { loaded, processorMs } = JSON.parse(await readFile(trace, "utf8"));
  const clone = `${pathToFileURL(root).href}/`;
  return { status, stdout, stderr, processorMs, loaded: loaded.map((url: string) => url.replace(clone, "")) };
}

/** Runs a script of package.json's, as npm does. */
async function script(name: "prestart" | "start", ...flags: readonly string[]): Promise<Traced> {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const [node, ...args] = scripts[name].split(" ");
  expect(node).toBe("node");
  return traced([...args, ...flags]);
}

it("bundles the pages of this clone once, says nothing of the bundler, and does not load it a second time", {
  timeout: 240_000,
}, async () => {
  const first = await script("prestart");
  expect(first.stdout).toBe("");
  expect(first.stderr).toMatch(/^(?:Building the pages, since .+ …\n)?$/);
  expect(first.status).toBe(0);
  const stamp = join(root, "dist/client.json");
  const page = join(root, "dist/client/index.html");
  const built = async () =>
    [await stat(stamp), await stat(page)].map(({ mtimeMs, ino }) => ({ mtimeMs, ino }));
  const before = await built();
  const { loaded, processorMs, ...said } = await script("prestart");
  expect(said).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(await built()).toEqual(before);
  expect(loaded).toContain("client/build/build.ts");
  expect(loaded.filter((path) => path.startsWith("node_modules/"))).toEqual([]);
  expect(loaded.length).toBeLessThan(12); // 6
  expect(processorMs).toBeLessThan(MAX_LOOK_MS);
  const { inputs } = JSON.parse(await readFile(stamp, "utf8"));
  for (const path of [
    "client/pages/index.html",
    "model/engine/wasm/kernels.generated.ts",
    "package-lock.json",
  ]) {
    expect(Object.keys(inputs)).toContain(path);
  }
});

it("serves the run that is there after little of the processor, and loads nothing that builds", {
  timeout: 240_000,
}, async () => {
  const [text, run, directory] = ["text.txt", "run.json", "run"].map((name) => join(data, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(text, prose(60_000));
  await writeFile(run, JSON.stringify({ model: { layers: 1, heads: 2, width: 16, context: 16 } }));
  await addCorpus({ files: [text], dataDir: directory, vocabulary: 256 });
  const serve = ["--port", "0", "--data", directory];
  expect(await script("start", ...serve, "--run", run)).toMatchObject({ status: 0 }); // makes it
  const { status, loaded, processorMs } = await script("start", ...serve);
  expect(status).toBe(0);
  expect(loaded.filter((path) => BUILDERS.test(path))).toEqual([]);
  expect(loaded).toContain("server/run/run.ts");
  expect(loaded.length).toBeLessThan(650); // 573
  expect(processorMs).toBeLessThan(MAX_READY_MS);
});

it("the control: what loads the bundler is seen to", async () => {
  const { loaded } = await traced(["--input-type=module", "--eval", 'await import("vite")']);
  expect(loaded.filter((path) => BUILDERS.test(path)).length).toBeGreaterThan(5);
});
