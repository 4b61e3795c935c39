import { expect, test } from "vitest";
import { fitTo } from "../fit.ts";
import { lowerAll } from "../lower.ts";
import { likeliest, tuningFor } from "../tuning.ts";

const UNLIMITED = { maxStorageBufferBindingSize: 2 ** 40, maxBufferSize: 2 ** 40 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const hardware = { software: false, subgroups: true };

test.each([50_257, 50_258, 50_259, 50_260])(
  "no product reads one value at a time, with %i tokens",
  (vocabulary) => {
    const shape = { layers: 1, heads: 12, width: 768, context: 64, vocabulary };
    const { training, evaluation, tables } = fitTo({ shape, optimizer, batch: 2 }, UNLIMITED);
    for (const { ops } of [{ ops: [...training.first, ...training.more] }, evaluation]) {
      const kernels = lowerAll(ops, tuningFor(hardware, likeliest(hardware)), tables);
      const products = kernels.filter(({ name }) => name.startsWith("gemm"));
      expect(products.length).toBeGreaterThanOrEqual(5);
      expect(products.filter(({ unit }) => unit !== 4)).toEqual([]);
    }
  },
);
