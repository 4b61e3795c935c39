import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DeviceName } from "../../model/contract/trainer.ts";
import { launchChromium } from "./launch.ts";
import type {} from "./reference-page.ts";
import type { Answer, Question } from "./reference-worker.ts";

let browser: Browser;
let server: Server;
let scripts: string;
const wasmFolder = createRequire(import.meta.url).resolve(
  "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm",
);

/** The Worker as a visitor gets it, bundled and minified, behind the pages' own strict policy. */
beforeAll(async () => {
  scripts = await mkdtemp(join(tmpdir(), "murmuration-reference-"));
  await build({
    configFile: false,
    logLevel: "error",
    worker: { format: "es" },
    build: {
      outDir: scripts,
      rolldownOptions: {
        input: join(import.meta.dirname, "reference-page.ts"),
        output: { entryFileNames: "page.js" },
      },
    },
  });
  server = createServer(async ({ url = "/" }, response) => {
    response.setHeader("content-security-policy", "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
    const name = basename(url);
    const file = url.startsWith("/tfjs/") ? join(wasmFolder, "..", name) : join(scripts, url);
    if (url === "/")
      response
        .setHeader("content-type", "text/html")
        .end('<!doctype html><script type="module" src="/page.js"></script>');
    else {
      response.setHeader("content-type", name.endsWith(".wasm") ? "application/wasm" : "text/javascript");
      readFile(file).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  browser = await launchChromium({ webgpu: true });
});

afterAll(async () => {
  await browser.close();
  server.close();
  await rm(scripts, { recursive: true });
});

async function ask(question: Question): Promise<Answer> {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "askReference" in globalThis);
  const answer = await page.evaluate((question) => askReference(question), question);
  await page.close();
  return answer;
}

it.each<[DeviceName, boolean]>([
  ["webgpu", true],
  ["webgl", true],
  ["wasm", false],
  ["cpu", false],
])(
  "the bundled reference trains in a Worker on %s, and holds as much memory as before",
  async (backend, software) => {
    const answer = await ask({ backend, wasmPath: "/tfjs/" });
    if ("failed" in answer) throw new Error(answer.failed);
    const { report, losses, held, afterLoss } = answer.outcome;
    expect(report).toMatchObject({ device: backend, engine: "tfjs", software });
    expect(Math.abs(losses[0]! - Math.log(32))).toBeLessThan(0.1);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
    expect(held[1]).toBe(held[0]);
    if (backend === "webgpu") expect(afterLoss).toBe("device-lost");
  },
);

it("says so when the WASM binaries are not where they were said to be", async () => {
  const answer = await ask({ backend: "wasm", wasmPath: "/nowhere/" });
  expect(answer).toMatchObject({ failed: expect.stringContaining("wasm") });
});
