import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchChromium } from "./launch.ts";
import type {} from "./wasm-page.ts";
import { runTicket, type WasmAnswer, type WasmQuestion } from "./wasm-run.ts";

let browser: Browser;
let server: Server;
let scripts: string;
let page: Page;

/** The engine as a visitor gets it: bundled, minified, in a Worker, behind the pages' own strict policy. */
beforeAll(async () => {
  scripts = await mkdtemp(join(tmpdir(), "murmuration-wasm-"));
  const input = join(import.meta.dirname, "wasm-page.ts");
  await build({
    configFile: false,
    logLevel: "error",
    worker: { format: "es" },
    build: { outDir: scripts, rolldownOptions: { input, output: { entryFileNames: "page.js" } } },
  });
  server = createServer(async ({ url = "/" }, response) => {
    response.setHeader("content-security-policy", "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
    response.setHeader("content-type", url === "/" ? "text/html" : "text/javascript");
    const html = '<!doctype html><script type="module" src="/page.js"></script>';
    if (url === "/") response.end(html);
    else
      readFile(join(scripts, url)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "wasmEngine" in globalThis);
});

afterAll(async () => {
  await browser.close();
  server.close();
  await rm(scripts, { recursive: true });
});

async function ask(question: WasmQuestion): Promise<WasmAnswer> {
  const answer = await page.evaluate((asked) => globalThis.wasmEngine.ask(asked), question);
  if (typeof answer === "string") throw new Error(answer);
  return answer;
}

test.each([1, 2, 3])(
  "the plain build gives a browser and Node the same bytes, on %i threads",
  async (threads) => {
    const question = { deterministic: true, threads };
    const answer = await ask(question);
    expect(answer.detail).toBe(`${threads} thread${threads > 1 ? "s" : ""}, SIMD`);
    expect(answer).toEqual(await runTicket(question));
  },
);

test("with Muon inside the plain build gives a browser and Node the same bytes; control: AdamW's are others", async () => {
  const question = { deterministic: true, threads: 1, inner: "muon" } as const;
  const answer = await ask(question);
  expect(answer).toEqual(await runTicket(question));
  expect(answer.delta).not.toEqual((await runTicket({ deterministic: true, threads: 1 })).delta);
});

test("fused multiply-add is used where the browser has it, and learns the same", async () => {
  const fused = await ask({ deterministic: false, threads: 1 });
  const plain = await ask({ deterministic: true, threads: 1 });
  expect(fused.detail).toBe("1 thread, SIMD + FMA");
  for (const [i, loss] of fused.losses.entries()) expect(loss).toBeCloseTo(plain.losses[i]!, 4);
  expect(fused.delta).not.toEqual(plain.delta);
});
