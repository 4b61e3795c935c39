import { expect, test } from "vitest";
import { initialWeights } from "../../model/contract/init.ts";
import { adjust } from "../../model/reference/extraction.ts";
import { codecOf } from "../../protocol/frame.ts";
import { CODECS, nameOfCodec, totals } from "../extraction-cases.ts";
import { extractionShape } from "./extraction-page.ts";
import { modulePage } from "./module-page.ts";

const opened = modulePage("extraction-page.ts");

test.each(CODECS.map((codec) => [nameOfCodec(codec), codec] as const))(
  "%s: WebGPU writes protocol/codec's bytes, of every hard total and ragged length",
  async (_, codec) => {
    for (const length of [65, 4_131]) {
      const cases = Object.entries(totals(length));
      const got = await opened.page.evaluate(([spec, all]) => globalThis.extraction.encodeAll(spec, all), [
        codec,
        cases.map(([, total]) => total),
      ] as const);
      for (const [i, [what, total]] of cases.entries()) {
        const left = new Float32Array(length);
        const wanted = codecOf(codec).encode(total, left);
        const where = `${what}, ${length} values`;
        expect(Buffer.compare(got[i]!.payload, wanted), where).toBe(0);
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
    const got = await opened.page.evaluate(([spec, start]) => globalThis.extraction.tickets(spec, start), [
      codec,
      weights,
    ] as const);
    const residual = new Float32Array(weights.length);
    for (const [ticket, { delta, payload, left, step, maps, losses }] of got.entries()) {
      if (ticket === 2) {
        adjust(residual, 0.95);
        adjust(residual, 1, weights);
      }
      adjust(residual, 1, delta);
      const wanted = codecOf(codec).encode(residual.slice(), residual);
      expect(Buffer.compare(payload, wanted), nameOfCodec(codec)).toBe(0);
      expect(left.findIndex((value, i) => value !== residual[i])).toBe(-1);
      expect({ step, losses }).toEqual({ step: 2 * (ticket + 1), losses: 2 });
      expect(maps, "staging buffers mapped: payload and losses").toBe(2);
    }
  }
});

test("no payload of NaN leaves the device", async () => {
  for (const codec of CODECS)
    expect(await opened.page.evaluate((spec) => globalThis.extraction.ofNaN(spec), codec)).toBe("not-finite");
});
