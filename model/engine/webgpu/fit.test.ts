import { describe, expect, test } from "vitest";
import type { ModelShape } from "../../contract/config.ts";
import { layoutOf } from "../../contract/layout.ts";
import { recomputingLeast } from "../fit.ts";
import { slotsOf } from "../plan.ts";
import { byBlock } from "../recompute.ts";
import { fitTo, plannedBytes } from "./fit.ts";
import { inParts } from "./pieces.ts";

const shape = { layers: 4, heads: 4, width: 64, context: 64, vocabulary: 256 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const options = { shape, optimizer, batch: 8 };
const limits = (bytes: number, maxBufferSize = 2 ** 30) => ({
  maxStorageBufferBindingSize: bytes,
  maxBufferSize,
});
const bytesOf = (batch: number) => fitTo({ ...options, batch }, limits(2 ** 30)).lengths.activations * 4;

test("takes the whole batch where it fits", () => {
  const { training, evaluation, lengths, tokens } = fitTo(options, limits(2 ** 30));
  expect(training.batch).toBe(8);
  expect(evaluation.batch).toBe(8);
  expect(lengths.tokens).toBe(tokens + Math.ceil(lengths.vectors.length / 32));
});

test("takes no more sequences at once than were asked for, as on every engine", () => {
  const asked = (micro: number) => fitTo({ ...options, micro }, limits(2 ** 30)).training.batch;
  expect([3, 8, 9].map(asked)).toEqual([3, 8, 8]);
});

test.each([1, 3, 7])("takes %i sequences where no more fit, to the byte", (batch) => {
  expect(fitTo(options, limits(bytesOf(batch))).training.batch).toBe(batch);
  expect(fitTo(options, limits(bytesOf(batch + 1) - 16)).training.batch).toBe(batch);
});

test("names the limit that binds and what would fit instead", async () => {
  const error = (bytes: number, most?: number) =>
    recomputingLeast((again) => fitTo(options, limits(bytes, most), undefined, again)).then(
      () => "fits",
      (caught: unknown) => (caught as Error).message,
    );
  const least = 4 * fitTo(options, limits(2 ** 30), undefined, byBlock).lengths.activations;
  expect(await error(60_000)).toMatch(
    /the weights of h\.0\.mlp\.c_fc take .* maxStorageBufferBindingSize is 0\.1 MiB: a width of 32 would fit/,
  );
  expect(await error(2 ** 30, 60_000)).toMatch(/maxBufferSize is 0\.1 MiB/);
  expect(await error(bytesOf(1) - 16)).toBe("fits"); // less is kept
  expect(await error(least - 16)).toMatch(/one sequence's activations .* a context of 32 would fit/);
});

describe("GPT-2 small, 124M parameters", () => {
  const gpt2: ModelShape = { layers: 12, heads: 12, width: 768, context: 128, vocabulary: 50_257 };
  /** What every WebGPU device offers. */
  const least = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };

  test("fits where no more than 128 MiB are bound at once", () => {
    const { training, lengths } = fitTo({ shape: gpt2, optimizer, batch: 1 }, least, inParts);
    expect(layoutOf(gpt2).length).toBeGreaterThan(100e6);
    const { weights, squares, residual } = lengths.vectors;
    expect(weights.length).toBe(4);
    for (const { length } of [...weights, ...squares, ...residual])
      expect(4 * length).toBeLessThanOrEqual(least.maxStorageBufferBindingSize);
    expect(4 * lengths.activations).toBeLessThanOrEqual(least.maxStorageBufferBindingSize);
    const bound = [...training.first, ...training.update].flatMap(slotsOf);
    expect(new Set(bound.map(({ part = 0 }) => part))).toEqual(new Set([0, 1, 2, 3]));
  });

  test("takes 3.2 GB where a sequence has 128 tokens", () => {
    const planned = plannedBytes(fitTo({ shape: gpt2, optimizer, batch: 1 }, limits(2 ** 31, 2 ** 31)));
    expect(planned / 1e9).toBeLessThan(3.2);
  });
});
