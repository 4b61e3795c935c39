import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { volunteerCommand } from "../client/cli/volunteer.ts";
import { corpusCommand } from "../server/cli/corpus.ts";
import { serveCommand } from "../server/cli/main.ts";

/** The whole of it without a browser: a corpus, a server, and volunteers over HTTP until the run is finished. */

const SETTINGS = {
  name: "Small",
  model: { layers: 1, heads: 2, width: 16, context: 16 },
  batch: 2,
  rounds: { seconds: 0.3, batch: 2 }, // paced, a step with Muon inside is a thirtieth of the budget
  steps: 6,
  tokenBudget: 8_000,
  learningRate: 0.01,
};

/** What a command writes, and a way to wait for it. */
function console() {
  let text = "";
  const waiting: (() => void)[] = [];
  return {
    write(more: string) {
      text += more;
      for (const check of waiting) check();
      return true;
    },
    get text() {
      return text;
    },
    shows: (pattern: RegExp) =>
      new Promise<RegExpMatchArray>((resolve) => {
        const check = () => {
          const found = text.match(pattern);
          if (found) resolve(found);
        };
        waiting.push(check);
        check();
      }),
  };
}

let directory: string;
let origin: string;
let serving: Promise<number>;
const stop = new AbortController();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-node-"));
  const [text, data, run] = ["text.txt", "data", "run.json"].map((name) => join(directory, name));
  const words = ["the", "whale", "sea", "ship", "a", "captain", "saw", "and", "white", "harpoon"];
  const prose = Array.from({ length: 40_000 }, (_, i) => words[((i * i + 3 * i) % 97) % words.length]);
  await writeFile(text!, prose.join(" "));
  await writeFile(run!, JSON.stringify(SETTINGS));
  const stdout = console();
  const stderr = console();
  const io = { stdout, stderr, signal: stop.signal };
  const made = await corpusCommand(["add", text!, "--data", data!, "--vocab", "280"], {
    ...io,
    stdin: process.stdin,
  });
  expect(made, stderr.text).toBe(0);
  serving = serveCommand(["--port", "0", "--data", data!, "--run", run!], {
    ...io,
    program: [process.execPath],
  });
  const [, found] = await Promise.race([
    stdout.shows(/(http:\/\/127\.0\.0\.1:\d+)\//),
    serving.then(() => Promise.reject(new Error(stderr.text))),
  ]);
  origin = found!;
}, 60_000);

afterAll(async () => {
  stop.abort();
  expect(await serving).toBe(0);
  await rm(directory, { recursive: true });
});

/** One volunteer's command line, run to its end. */
function volunteer(...args: string[]) {
  const stdout = console();
  const stderr = console();
  const controller = new AbortController();
  const exit = volunteerCommand([origin, "--device", "wasm", ...args], {
    stdout,
    stderr,
    signal: controller.signal,
  });
  return { stdout, stderr, exit, stop: () => controller.abort() };
}

test("a volunteer asked to stop ends, and one that comes back is the same volunteer", async () => {
  const state = join(directory, "state");
  for (let visit = 0; visit < 2; visit++) {
    const { stdout, stderr, exit, stop } = volunteer("--state", state);
    await Promise.race([stdout.shows(/sent/), exit]);
    stop();
    expect(await exit, stderr.text + stdout.text).toBe(0);
    expect(stdout.text).toMatch(/stopped\n$/);
    expect(stdout.text.includes("downloading the weights"), "weights are kept").toBe(visit === 0);
  }
  const [run] = await readdir(state);
  expect(await readdir(join(state, run!))).toEqual(
    expect.arrayContaining(["identity.json", "replica.v8", "moments.v8", "residual.v8"]),
  );
});

test("volunteers train until the run is finished, and it has learned", { timeout: 120_000 }, async () => {
  const both = [volunteer(), volunteer("--share", "0.5")];
  for (const { exit, stdout, stderr } of both) {
    expect(await exit, stderr.text + stdout.text).toBe(0);
    expect(stdout.text).toMatch(/the run is finished\n$/);
  }
  const status = await (await fetch(`${origin}/api/run`)).json();
  expect(status).toMatchObject({ state: "finished", deltas: { refused: {} } });
  expect(status.tokensMerged).toBeGreaterThanOrEqual(SETTINGS.tokenBudget);
  const losses = both.flatMap(({ stdout }) =>
    [...stdout.text.matchAll(/loss (\S+),/g)].map(([, loss]) => Number(loss)),
  );
  expect(Math.min(...losses)).toBeLessThan(0.9 * Math.log(280));
});
