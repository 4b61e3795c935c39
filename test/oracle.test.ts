import { describe, expect, it } from "vitest";
import { layoutOf } from "../model/contract/layout.ts";
import { Random } from "../model/lib/random.ts";
import {
  oracleLogits,
  oracleLoss,
  oracleLossAndGradient,
  oracleState,
  oracleUpdate,
} from "./oracle/oracle.ts";

const shape = { layers: 2, heads: 2, width: 8, context: 6, vocabulary: 11 };
const layout = layoutOf(shape);
const batch = 3;

/** Weights far from the initialisation, so that every path carries a gradient that is not tiny. */
function someWeights(seed: number): Float64Array {
  const random = new Random(seed);
  const weights = Float64Array.from({ length: layout.length }, () => random.unit() - 0.5);
  for (const { name, offset, length } of layout.tensors)
    if (/ln_.*weight/.test(name)) for (let i = offset; i < offset + length; i++) weights[i]! += 1;
  return weights;
}

function someTokens(seed: number): Uint16Array {
  const random = new Random(seed);
  return Uint16Array.from({ length: batch * (shape.context + 1) }, () => random.below(shape.vocabulary));
}

describe("the f64 oracle", () => {
  it("agrees with central differences in every tensor", () => {
    const weights = someWeights(1);
    const tokens = someTokens(2);
    const { loss, gradient } = oracleLossAndGradient(shape, weights, tokens, batch);
    expect(loss).toBe(oracleLoss(shape, weights, tokens, batch));
    const random = new Random(3);
    const step = 1e-5;
    for (const { name, offset, length } of layout.tensors) {
      const scale = Math.hypot(...gradient.subarray(offset, offset + length)) / Math.sqrt(length);
      for (let trial = 0; trial < 12; trial++) {
        const at = offset + random.below(length);
        const [up, down] = [weights.slice(), weights.slice()];
        up[at]! += step;
        down[at]! -= step;
        const slope =
          (oracleLoss(shape, up, tokens, batch) - oracleLoss(shape, down, tokens, batch)) / (2 * step);
        expect(Math.abs(slope - gradient[at]!), `${name}[${at - offset}]`).toBeLessThan(
          1e-6 * (scale + 1e-3),
        );
      }
    }
  });

  it("is causal: a later token never changes an earlier logit", () => {
    const weights = someWeights(4);
    const tokens = someTokens(5).subarray(0, shape.context);
    const before = oracleLogits(shape, weights, tokens);
    for (let at = 1; at < shape.context; at++) {
      const changed = tokens.slice();
      changed[at] = (changed[at]! + 1) % shape.vocabulary;
      const after = oracleLogits(shape, weights, changed);
      const upTo = at * shape.vocabulary;
      expect(after.subarray(0, upTo)).toEqual(before.subarray(0, upTo));
      expect(after.subarray(upTo)).not.toEqual(before.subarray(upTo));
    }
  });

  it("takes AdamW's first step by hand: rate against the gradient's sign, decay on matrices only", () => {
    const state = oracleState(new Float64Array(layout.length).fill(2));
    const gradient = new Float64Array(layout.length).fill(-3);
    const adamW = { beta1: 0.9, beta2: 0.99, epsilon: 0, weightDecay: 0.1, clip: 1 };
    oracleUpdate(layout, state, adamW, gradient, 0.5);
    const bias = layout.tensors.find(({ name }) => name === "ln_f.bias")!;
    expect(state.weights[0]).toBeCloseTo(2 * (1 - 0.5 * 0.1) + 0.5, 12);
    expect(state.weights[bias.offset]).toBeCloseTo(2.5, 12);
    // All gradients are equal, so after the clip each is clip ÷ √P.
    expect(state.m[0]).toBeCloseTo(-0.1 / Math.sqrt(layout.length), 12);
  });
});
