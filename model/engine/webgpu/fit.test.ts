import { expect, test } from "vitest";
import { fitTo } from "./fit.ts";

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
  expect(lengths.tokens).toBe(tokens + Math.ceil(lengths.parameters / 32));
});

test("takes no more sequences at once than were asked for, as on every engine", () => {
  const asked = (micro: number) => fitTo({ ...options, micro }, limits(2 ** 30)).training.batch;
  expect([3, 8, 9].map(asked)).toEqual([3, 8, 8]);
});

test.each([1, 3, 7])("takes %i sequences where no more fit, to the byte", (batch) => {
  expect(fitTo(options, limits(bytesOf(batch))).training.batch).toBe(batch);
  expect(fitTo(options, limits(bytesOf(batch + 1) - 16)).training.batch).toBe(batch);
});

test("names the limit that binds and what would fit instead", () => {
  const error = (bytes: number, most?: number) => {
    try {
      fitTo(options, limits(bytes, most));
      return "fits";
    } catch (caught) {
      return (caught as Error).message;
    }
  };
  expect(error(600_000)).toMatch(
    /the weights take .* maxStorageBufferBindingSize is 0\.6 MiB: 2 layers would fit/,
  );
  expect(error(2 ** 30, 600_000)).toMatch(/maxBufferSize is 0\.6 MiB/);
  expect(error(100_000)).toMatch(/not even one layer/);
  expect(error(bytesOf(1) - 16)).toMatch(/one sequence's activations .* a context of 32 would fit/);
});
