import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adjust } from "../../model/extraction.ts";
import { initialWeights } from "../../model/init.ts";
import { codecOf } from "../../protocol/frame.ts";
import { CODECS, nameOfCodec, totals } from "../extraction-cases.ts";
import { type ServedModule, serveModule } from "./bundle.ts";
import { extractionShape } from "./extraction-page.ts";
import { launchChromium } from "./launch.ts";

let browser: Browser;
let served: ServedModule;
let page: Page;

beforeAll(async () => {
  served = await serveModule(join(import.meta.dirname, "extraction-page.ts"));
  browser = await launchChromium({ webgpu: true });
  page = await browser.newPage();
  await page.goto(served.url);
});

afterAll(async () => {
  await browser.close();
  await served.close();
});

test.each(CODECS.map((codec) => [nameOfCodec(codec), codec] as const))(
  "%s: WebGPU writes protocol/codec's bytes, of every hard total and ragged length",
  async (_, codec) => {
    for (const length of [65, 4_131]) {
      const cases = Object.entries(totals(length));
      const got = await page.evaluate(([spec, all]) => globalThis.extraction.encodeAll(spec, all), [
        codec,
        cases.map(([, total]) => [...total]),
      ] as const);
      for (const [i, [what, total]] of cases.entries()) {
        const left = new Float32Array(length);
        const wanted = codecOf(codec).encode(total, left);
        const where = `${what}, ${length} values`;
        expect(got[i]!.payload, where).toEqual([...wanted]);
        expect(
          got[i]!.left.findIndex((value, at) => value !== left[at]),
          where,
        ).toBe(-1);
      }
    }
  },
);

test("a trainer keeps moments and residual between tickets, and reads back once a ticket", async () => {
  const weights = initialWeights(extractionShape, 1);
  for (const codec of CODECS) {
    const got = await page.evaluate(([spec, start]) => globalThis.extraction.tickets(spec, start), [
      codec,
      [...weights],
    ] as const);
    const residual = new Float32Array(weights.length);
    for (const [ticket, { delta, payload, left, step, maps, losses }] of got.entries()) {
      if (ticket === 2) {
        adjust(residual, 0.95);
        adjust(residual, 1, weights);
      }
      adjust(residual, 1, Float32Array.from(delta));
      expect(payload).toEqual([...codecOf(codec).encode(residual.slice(), residual)]);
      expect(left.findIndex((value, i) => value !== residual[i])).toBe(-1);
      expect({ step, losses }).toEqual({ step: 2 * (ticket + 1), losses: 2 });
      expect(maps, "staging buffers mapped: payload and losses").toBe(2);
    }
  }
});

test("no payload of NaN leaves the device", async () => {
  for (const codec of CODECS)
    expect(await page.evaluate((spec) => globalThis.extraction.ofNaN(spec), codec)).toBe("not-finite");
});
