import type { AdamW, ModelShape } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import type { Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import { Random } from "../../model/lib/random.ts";
import type { Job } from "./engine-page.ts";
import type { modulePage } from "./module-page.ts";

const small: Tile = { kind: "register", m: 4, n: 4, depth: 4, down: 4, across: 4 };
export const tiles = { NN: small, NT: small, TN: small };
export const aligned: ModelShape = { layers: 2, heads: 2, width: 16, context: 20, vocabulary: 39 };
export const ragged: ModelShape = { layers: 1, heads: 3, width: 9, context: 7, vocabulary: 11 };
/** A model whose token table takes twice the bytes of what `narrow` lets a device bind, and all weights four times. */
export const cut = {
  shape: { layers: 3, heads: 2, width: 32, context: 4, vocabulary: 1_001 } satisfies ModelShape,
  narrow: 70_000,
};
/** One whose first moment is a tenth of the gradient itself. */
export const unclipped: AdamW = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1e9 };
export const clipped: AdamW = { ...unclipped, epsilon: 1e-4, clip: 0.5 };

export function start(shape: ModelShape, batch: number, steps = 1) {
  const random = new Random(11);
  const weights = Float32Array.from({ length: layoutOf(shape).length }, () => (random.unit() - 0.5) * 0.4);
  const length = batch * (shape.context + 1);
  const batches = Array.from({ length: steps }, () =>
    Uint16Array.from({ length }, () => random.below(shape.vocabulary)),
  );
  return { weights, batches };
}

/** Runs a job in a page: see engine-page.ts. */
export const train = ({ page }: ReturnType<typeof modulePage>, job: Job) =>
  page.evaluate((job) => globalThis.engine.train(job), job);
