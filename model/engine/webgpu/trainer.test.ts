import { expect, test } from "vitest";
import { createWebgpuTrainer } from "./trainer.ts";

test("where there is no WebGPU, says so", async () => {
  const shape = { layers: 1, heads: 1, width: 4, context: 4, vocabulary: 8 };
  const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
  await expect(createWebgpuTrainer({ shape, optimizer, batch: 1 })).rejects.toMatchObject({
    code: "device-unavailable",
  });
});
