import { expect, test } from "vitest";
import { loadKernels } from "../../model/engine/wasm/kernels.ts";
import { Replica } from "../../model/engine/wasm/replica.ts";
import { parseSettings } from "../run/settings.ts";
import { deviceMemoryOf } from "./device-memory.ts";

const GB = 1e9;
const of = (model: object, vocabulary: number, more: object = {}) =>
  deviceMemoryOf(parseSettings({ model, ...more }), vocabulary);

test("a small model fits every device, in as much memory as its trainer takes", async () => {
  const model = { layers: 2, heads: 2, width: 48, context: 64 };
  const { gpuBytes, wasmBytes, phones } = await of(model, 512, { rounds: "turns" });
  const { optimizer } = parseSettings({ rounds: "turns" });
  const about = { shape: { ...model, vocabulary: 512 }, optimizer, batch: 1, memoryLimit: 2 ** 30 };
  expect(wasmBytes).toBe(new Replica(await loadKernels(false), about).bytes);
  expect(gpuBytes! / wasmBytes!).toBeGreaterThan(0.5);
  expect(gpuBytes! / wasmBytes!).toBeLessThan(2);
  expect(phones).toBe(true);
});

test("GPT-2 small takes what ENGINE.md says, and no phone without its GPU", async () => {
  const model = { layers: 12, heads: 12, width: 768, context: 128 };
  const { gpuBytes, wasmBytes, phones } = await of(model, 50_257, { rounds: "turns" });
  expect(gpuBytes! / GB).toBeCloseTo(3.09, 1);
  expect(wasmBytes! / GB).toBeCloseTo(3.08, 1);
  expect(phones).toBe(false);
});

test("on a clock it is the optimiser that takes more", async () => {
  const model = { layers: 2, heads: 2, width: 48, context: 64 };
  const [clock, adamw] = [await of(model, 512), await of(model, 512, { rounds: "turns" })];
  expect(clock.wasmBytes).toBeGreaterThanOrEqual(adamw.wasmBytes!);
});

test("what no device could hold is said of none", async () => {
  const model = { layers: 18, heads: 12, width: 768, context: 8_192 };
  expect(await of(model, 50_257, { rounds: "turns" })).toEqual({
    gpuBytes: null,
    wasmBytes: null,
    phones: false,
  });
});
