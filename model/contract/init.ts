import { Random } from "../lib/random.ts";
import type { ModelShape } from "./config.ts";
import { layoutOf } from "./layout.ts";

/**
 * Version 0 of a model: GPT-2's initialisation (its model.py, and Radford et al. 2019 §2.3) drawn from a
 * seed. Normals of deviation .02, positions .01, projections onto the residual stream shrunk by √(2 · layers)
 * for the 2 · layers that add up in it; layer norms at 1, biases at 0. Integers and + − × ÷ √ only, each of
 * which IEEE 754 fixes to the bit, so every machine gets the same bytes.
 *
 * Returns the flat vector in the layout's order. Throws `bad-shape`.
 */
export function initialWeights(shape: ModelShape, seed: number): Float32Array<ArrayBuffer> {
  const layout = layoutOf(shape);
  const random = new Random(seed);
  const weights = new Float32Array(layout.length);
  for (const { name, offset, length } of layout.tensors) {
    const values = weights.subarray(offset, offset + length);
    if (name.endsWith(".bias")) continue;
    if (/ln_\w\.weight$/.test(name)) values.fill(1);
    else {
      const deviation = deviationOf(name, shape.layers);
      for (let i = 0; i < length; i++) values[i] = normal(random) * deviation;
    }
  }
  return weights;
}

function deviationOf(name: string, layers: number): number {
  if (name === "wpe.weight") return 0.01;
  return name.endsWith("c_proj.weight") ? 0.02 / Math.sqrt(2 * layers) : 0.02;
}

/**
 * A number close to normal, of mean 0 and variance 1: twelve uniforms added up (Irwin–Hall), which is within
 * ±6. Each uniform has 16 bits, two to a draw. The usual ways need a logarithm or a cosine, and engines
 * differ in their last bits.
 */
function normal(random: Random): number {
  let sum = 0;
  for (let i = 0; i < 6; i++) {
    const draw = random.u32();
    sum += (draw & 0xffff) + (draw >>> 16);
  }
  return (sum - MEAN) / 2 ** 16;
}

/** Of twelve uniform integers from 0 to 2¹⁶ − 1. */
const MEAN = (12 * (2 ** 16 - 1)) / 2;
