import { describe, expect, test } from "vitest";
import { initialWeights } from "../model/contract/init.ts";
import { layoutOf } from "../model/contract/layout.ts";
import { extractionSchedule } from "../model/engine/schedule.ts";
import { mapMemory, WasmDevice } from "../model/engine/wasm/device.ts";
import { hasFma, loadKernels } from "../model/engine/wasm/kernels.ts";
import { createWasmTrainer } from "../model/engine/wasm/trainer.ts";
import { adjust } from "../model/reference/extraction.ts";
import { createReference } from "../model/reference/reference.ts";
import type { CodecSpec } from "../protocol/codec/codec.ts";
import { codecOf, decodeFrame, frameOf } from "../protocol/frame.ts";
import { CODECS, nameOfCodec, totals } from "./extraction-cases.ts";

/** What a device makes of a total: the payload, and what that leaves out. */
type Encoder = (total: Float32Array, codec: CodecSpec) => { payload: Uint8Array; left: Float32Array };

/** The WASM kernels by themselves, on an arena just large enough. */
async function inWasm(fma: boolean): Promise<Encoder> {
  const kernels = await loadKernels(fma);
  return (total, codec) => {
    const { length } = total;
    const arenas = { activations: 1, tokens: 1, scratch: 2048 };
    const vectors = { parameters: length, optimizing: length, squares: length };
    const device = new WasmDevice(kernels, mapMemory(kernels.heapBase(), vectors, arenas));
    const residual = { arena: "residual", offset: 0, length } as const;
    const bytes = codecOf(codec).payloadBytes(length);
    const payload = { arena: "gradients", offset: 0, length: Math.ceil(bytes / 4) } as const;
    device.floats(residual).set(total);
    device.floats({ ...payload, length }).fill(7); // what gradients were there before
    device.compile([{ op: "encode", codec, residual, payload }])();
    const { buffer, byteOffset } = device.floats(payload);
    return {
      payload: new Uint8Array(buffer, byteOffset, bytes).slice(),
      left: device.floats(residual).slice(),
    };
  };
}

const encoders: [string, () => Promise<Encoder>][] = [
  ["WASM without FMA", () => inWasm(false)],
  ...(hasFma() ? [["WASM with FMA", () => inWasm(true)] as [string, () => Promise<Encoder>]] : []),
];

describe.each(encoders)("payloads made in %s", (_, open) => {
  test.each(CODECS.map((codec) => [nameOfCodec(codec), codec] as const))(
    "%s: the same bytes as protocol/codec's, and residuals that lose nothing",
    async (_, codec) => {
      const encode = await open();
      for (const length of [1, 2, 63, 64, 65, 511, 4096, 9_001]) {
        for (const [what, total] of Object.entries(totals(length))) {
          const left = new Float32Array(length);
          const wanted = codecOf(codec).encode(total, left);
          const got = encode(total, codec);
          const where = `${what}, ${length} values`;
          expect(got.payload.length, where).toBe(wanted.length);
          expect(
            got.payload.findIndex((byte, i) => byte !== wanted[i]),
            where,
          ).toBe(-1);
          expect(
            got.left.findIndex((value, i) => value !== left[i]),
            where,
          ).toBe(-1);
        }
      }
    },
  );

  test.each(CODECS.map((codec) => [nameOfCodec(codec), codec] as const))(
    "%s: no NaN leaves",
    async (_, codec) => {
      const encode = await open();
      for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const total = new Float32Array(200).fill(1);
        total[150] = wrong;
        expect(() => encode(total, codec)).toThrow(expect.objectContaining({ code: "not-finite" }));
      }
    },
  );
});

const shape = { layers: 1, heads: 2, width: 24, context: 8, vocabulary: 37 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const tokens = Uint16Array.from({ length: 18 }, (_, i) => (i * 7) % 37);

const trainers = [
  ["WASM", () => createWasmTrainer({ shape, optimizer, batch: 2 })],
  ["WASM on two threads", () => createWasmTrainer({ shape, optimizer, batch: 2, threads: 2 })],
  ["tfjs", () => createReference({ shape, optimizer, batch: 2, backend: "cpu" })],
] as const;

describe.each(trainers)("a trainer on %s", (_, open) => {
  test.each(CODECS.filter(({ name }) => name !== "f32").map((codec) => [nameOfCodec(codec), codec] as const))(
    "%s: keeps moments and residual between tickets, and sends what both say",
    async (_, codec) => {
      const trainer = await open();
      const { length } = layoutOf(shape);
      const weights = initialWeights(shape, 1);
      const residual = new Float32Array(length);
      for (let ticket = 0; ticket < 3; ticket++) {
        await trainer.load(weights, ticket === 0 ? undefined : "kept");
        if (ticket === 2) {
          await trainer.adjustResidual(0.95);
          adjust(residual, 0.95);
          await trainer.adjustResidual(1, weights);
          adjust(residual, 1, weights);
        }
        for (let step = 0; step < 2; step++) await trainer.step(tokens, 2, 1e-2);
        const delta = await trainer.delta();
        adjust(residual, 1, delta);
        const wanted = codecOf(codec).encode(residual.slice(), residual);
        const payload = await trainer.extract(codecOf(codec));
        expect(payload).toEqual(wanted);
        const carried = await trainer.carried();
        expect(carried.residual).toEqual(residual);
        expect(carried.step).toBe(2 * (ticket + 1));
        expect(() => decodeFrame(frameOf(codec, length, payload), length)).not.toThrow();
      }
      // what is carried starts another trainer where this one stands
      const { m, v } = await trainer.carried();
      expect(await trainer.vector("m")).toEqual(m);
      expect(await trainer.vector("residual")).toEqual(residual);
      const other = await open();
      await other.load(weights, await trainer.carried());
      expect(await other.carried()).toEqual({ m, v, step: 6, residual });
      await other.load(weights);
      expect((await other.carried()).residual.every((value) => value === 0)).toBe(true);
      trainer.dispose();
      other.dispose();
    },
  );

  test("has nothing to keep before its first ticket, and no payload of NaN", async () => {
    const trainer = await open();
    const weights = initialWeights(shape, 1);
    await expect(trainer.load(weights, "kept")).rejects.toMatchObject({ code: "bad-weights" });
    await trainer.load(weights);
    await trainer.step(tokens, 2, Number.MAX_VALUE);
    await trainer.step(tokens, 2, 1);
    const codec = { name: "dense", bits: 4 } as const;
    await expect(trainer.extract(codecOf(codec))).rejects.toMatchObject({ code: "not-finite" });
    await trainer.load(weights);
    await trainer.step(tokens, 2, 1e-3);
    expect((await trainer.extract(codecOf(codec))).length).toBe(codecOf(codec).payloadBytes(weights.length));
    trainer.dispose();
  });
});

test("extraction is two operations, and its payload fits where the gradients were", () => {
  for (const codec of CODECS) {
    const [collect, encode] = extractionSchedule(shape, codecOf(codec));
    expect([collect.op, encode.op]).toEqual(["collect", "encode"]);
    expect(encode.payload.length).toBeLessThanOrEqual(layoutOf(shape).length);
  }
});
