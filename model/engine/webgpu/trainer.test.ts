import { expect, test } from "vitest";
import type { Optimizer } from "../../contract/config.ts";
import { trainingSchedule } from "../schedule.ts";
import { lower, NEEDS } from "./lower.ts";
import { createWebgpuTrainer } from "./trainer.ts";
import { likeliest, tuningFor } from "./tuning.ts";

test("where there is no WebGPU, says so", async () => {
  const shape = { layers: 1, heads: 1, width: 4, context: 4, vocabulary: 8 };
  const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
  await expect(createWebgpuTrainer({ shape, optimizer, batch: 1 })).rejects.toMatchObject({
    code: "device-unavailable",
  });
});

test("Muon is refused and not trained as AdamW; control: AdamW's ops have their kernels", () => {
  const shape = { layers: 1, heads: 1, width: 4, context: 4, vocabulary: 8 };
  const adamW = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
  const gpu = { software: true, subgroups: false };
  const lowered = (optimizer: Optimizer) =>
    trainingSchedule(shape, 1, optimizer, NEEDS).update.flatMap((op) =>
      lower(op, tuningFor(gpu, likeliest(gpu)), 0),
    );
  expect(() => lowered({ ...adamW, inner: "muon" })).toThrow(
    expect.objectContaining({ code: "device-unavailable" }),
  );
  expect(lowered(adamW).map(({ name }) => name)).toEqual(["norm-partial", "norm", "adamw"]);
});
