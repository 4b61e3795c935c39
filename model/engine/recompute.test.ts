import { describe, expect, test } from "vitest";
import { expectNoLiveOverlap, meetings } from "../../test/plan-checks.ts";
import type { Inner, ModelShape } from "../contract/config.ts";
import { initialWeights } from "../contract/init.ts";
import { layoutOf } from "../contract/layout.ts";
import { Random } from "../lib/random.ts";
import { fitBatch } from "./fit.ts";
import { slotsOf } from "./plan.ts";
import { byBlock, type Recompute, selective } from "./recompute.ts";
import { trainingSchedule } from "./schedule.ts";
import { mapMemory, needsOf } from "./wasm/device.ts";
import { hasFma, loadKernels } from "./wasm/kernels.ts";
import { Replica } from "./wasm/replica.ts";
import { createWasmTrainer } from "./wasm/trainer.ts";
import { fitTo, plannedBytes } from "./webgpu/fit.ts";
import { inParts } from "./webgpu/pieces.ts";

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const levels = [
  { recompute: selective, more: 3 },
  { recompute: byBlock, more: 6 },
];
/** Off every tile, with attention that keeps probabilities and that keeps a log-sum-exp a row. */
const shapes: ModelShape[] = [
  { layers: 3, heads: 2, width: 24, context: 49, vocabulary: 67 },
  { layers: 2, heads: 3, width: 15, context: 7, vocabulary: 13 },
  { layers: 1, heads: 1, width: 8, context: 300, vocabulary: 20 },
];

const tokensOf = (shape: ModelShape, batch: number, seed: number) => {
  const random = new Random(seed);
  return Uint16Array.from({ length: batch * (shape.context + 1) }, () => random.below(shape.vocabulary));
};

describe.each(levels)("$recompute.name", ({ recompute, more }) => {
  const shape = { layers: 4, heads: 2, width: 8, context: 6, vocabulary: 11 };
  const plan = async (again?: Recompute) =>
    trainingSchedule(shape, 2, optimizer, needsOf(await loadKernels(false)), again);

  test(`takes ${more} ops more a layer, over places that are whole when they are read`, async () => {
    const [kept, fewer] = [await plan(), await plan(recompute)];
    expect(fewer.first.length).toBe(kept.first.length + more * shape.layers);
    expect(fewer.arenas.activations).toBeLessThan(kept.arenas.activations);
    expectNoLiveOverlap([...fewer.first, ...fewer.update], [fewer.losses]);
    for (const [i, op] of fewer.first.entries()) {
      if (!(op.op === "gemm" && op.beside)) continue;
      const next = fewer.first[i + 1]!;
      expect(next.op === "gemm" && next.mode !== "TN").toBe(true);
      expect(meetings(op, next)).toEqual([]);
    }
    expect(fewer.more.length).toBe(fewer.first.length);
    const adding = fewer.more.filter((op, i) => op !== fewer.first[i]);
    expect(adding.every((op) => slotsOf(op).some(({ arena }) => arena === "gradients"))).toBe(true);
  });

  /** Older engines than package.json asks for have no relaxed SIMD. */
  const builds = [false, true].filter((fma) => !fma || hasFma());
  const cases = builds.flatMap((fma) => shapes.map((shape) => [fma, shape] as const));
  test.each(cases)("gives every gradient the same bits, with FMA %s: %o", async (fma, shape) => {
    const replicaOf = async (again?: Recompute) => {
      const about = { shape, optimizer, batch: 3, micro: 2, memoryLimit: 2 ** 30 };
      return new Replica(await loadKernels(fma), about, again);
    };
    const weights = initialWeights(shape, 1).map((x, i) => 3 * x + ((i % 7) - 3) / 50);
    const both = [await replicaOf(), await replicaOf(recompute)].map((replica) => {
      replica.load(weights);
      const loss = replica.backward(tokensOf(shape, 3, 4), 3, 3 * shape.context); // two micro-batches
      const gradients = replica.gradients.slice();
      replica.update(1, 1e-2);
      const again = replica.backward(tokensOf(shape, 3, 5), 3, 3 * shape.context);
      return { loss, again, bytes: replica.bytes, gradients: [gradients, replica.gradients.slice()] };
    });
    const [kept, fewer] = both as [(typeof both)[0], (typeof both)[0]];
    expect([fewer.loss, fewer.again]).toEqual([kept.loss, kept.again]);
    for (const [i, gradients] of kept.gradients.entries())
      expect(Buffer.compare(Buffer.from(fewer.gradients[i]!.buffer), Buffer.from(gradients.buffer))).toBe(0);
    expect(kept.gradients[0]!.some((value) => value !== 0)).toBe(true);
    if (shape.layers > 1) expect(fewer.bytes).toBeLessThan(kept.bytes);
  });
});

describe("a WASM trainer", () => {
  const shape = { layers: 8, heads: 2, width: 32, context: 128, vocabulary: 97 };
  const bytesOf = async (inner: Inner, again?: Recompute) => {
    const about = { shape, optimizer: { ...optimizer, inner }, batch: 1, memoryLimit: 2 ** 30 };
    return new Replica(await loadKernels(false), about, again).bytes;
  };
  const train = async (inner: Inner, memoryLimit: number, threads: number) => {
    const options = { shape, optimizer: { ...optimizer, inner }, batch: 2, micro: 1, deterministic: true };
    const trainer = await createWasmTrainer({ ...options, memoryLimit, threads });
    await trainer.load(initialWeights(shape, 1));
    for (const seed of [1, 2]) await trainer.step(tokensOf(shape, 2, seed), 2, 1e-3);
    const trained = [await trainer.losses(), await trainer.delta()];
    const { detail } = trainer.report;
    trainer.dispose();
    return { trained, detail };
  };

  test.each<Inner>(["adamw", "muon"])(
    "computes again where memory is short, to the same bytes with %s",
    async (inner) => {
      const [kept, ...fewer] = await Promise.all([
        bytesOf(inner),
        bytesOf(inner, selective),
        bytesOf(inner, byBlock),
      ]);
      const roomy = await train(inner, 2 ** 30, 1);
      for (const limit of fewer) {
        expect(limit).toBeLessThan(kept! - 100_000);
        const tight = await train(inner, limit, 2);
        expect(tight.trained).toEqual(roomy.trained);
        expect(tight.detail).toMatch(/^1 thread,/); // another has no room
      }
    },
  );

  test("refuses what does not fit even so, and says what would", async () => {
    const least = await bytesOf("adamw", byBlock);
    await expect(train("adamw", least - 4_096, 1)).rejects.toThrow(
      /one sequence needs \d+ MiB, the limit is \d+ MiB: a context of 64 would fit/,
    );
  });
});

describe("GPT-2 small, one sequence: gigabytes planned", () => {
  const gpt2 = (context: number): ModelShape => ({
    layers: 12,
    heads: 12,
    width: 768,
    context,
    vocabulary: 50_257,
  });
  const unlimited = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 31 };
  const levels = [undefined, selective, byBlock];

  test("on WebGPU, with all kept, without what norms and GELU leave, and with what enters a block", () => {
    const options = { shape: gpt2(1_024), optimizer, batch: 1 };
    const planned = levels.map((again) => plannedBytes(fitTo(options, unlimited, inParts, again)) / 1e9);
    expect(planned.map((gigabytes) => gigabytes.toFixed(2))).toEqual(["3.67", "3.44", "3.10"]);
    expect(Math.max(...planned)).toBeLessThanOrEqual(4.0); // asked for
  });

  test.each([
    { context: 128, most: 3.2, wasm: ["3.08", "3.05", "3.00"] },
    { context: 1_024, most: 4.0, wasm: ["3.65", "3.43", "3.09"] },
  ])("on WASM, at $context tokens", async ({ context, most, wasm }) => {
    const shape = gpt2(context);
    const kernels = await loadKernels(false);
    const { length } = layoutOf(shape);
    const planned = levels.map((again) => {
      const vectors = { parameters: length, optimizing: length, squares: length };
      const bytesOf = (arenas: Parameters<typeof mapMemory>[2]) =>
        mapMemory(kernels.heapBase(), vectors, arenas).end;
      const { arenas } = fitBatch(shape, 1, optimizer, needsOf(kernels), 2 ** 32, bytesOf, again);
      return bytesOf(arenas) / 1e9;
    });
    expect(planned.map((gigabytes) => gigabytes.toFixed(2))).toEqual(wasm);
    expect(Math.max(...planned)).toBeLessThanOrEqual(most);
  });

  test("a context of 1,024 fits where no more than 128 MiB are bound at once; control: not with all kept", () => {
    const options = { shape: gpt2(1_024), optimizer, batch: 1 };
    const least = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };
    expect(() => fitTo(options, least, inParts)).toThrow(/one sequence's activations take/);
    const { lengths } = fitTo(options, least, inParts, byBlock);
    expect(4 * lengths.activations).toBeLessThanOrEqual(2 ** 27);
  });
});
