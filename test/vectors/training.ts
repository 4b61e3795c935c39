import { initialWeights } from "../../model/contract/init.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { batchesOf } from "../../model/data/batches.ts";
import { encodeSafetensors } from "../../model/data/safetensors.ts";
import { toHex } from "../../protocol/bytes.ts";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import { oracleLossAndGradient, oracleState, oracleUpdate } from "../oracle/oracle.ts";
import { hexOf } from "./frames.ts";

export const SHAPE = { layers: 2, heads: 2, width: 8, context: 8, vocabulary: 32 };
export const SHARD = Uint16Array.from({ length: 300 }, (_, i) => (i * i + 3 * i + (i >> 3)) % 32);
const OPTIMIZER = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };

export const batchVectors = () => RANGES.map(batchesFor);

/** Ranges on a shard: from its middle, over its end, and on a shard that has one window. */
const RANGES = [
  { tokens: 300, context: 8, range: { window: 3, seed: 1, steps: 3, batch: 2 } },
  { tokens: 300, context: 8, range: { window: 34, seed: 4_000_000_001, steps: 4, batch: 2 } },
  { tokens: 9, context: 8, range: { window: 5, seed: 12, steps: 2, batch: 1 } },
];
function batchesFor({ tokens, context, range }: (typeof RANGES)[number]) {
  const shard = SHARD.subarray(0, tokens);
  return {
    context,
    range,
    shard: [...shard],
    steps: [...batchesOf(shard, range, context)].map((step) => [...step]),
  };
}

export async function initial() {
  const layout = layoutOf(SHAPE);
  const weights = initialWeights(SHAPE, 5);
  const file = encodeSafetensors(layout, weights);
  return {
    shape: SHAPE,
    seed: 5,
    parameters: layout.length,
    tensors: layout.tensors.map(({ name, shape, offset }) => ({ name, shape, offset })),
    weights: hexOf(weights),
    head: toHex(file.subarray(0, file.length - 4 * layout.length)),
    hash: await sha256(file),
  };
}

/** A fresh ticket's steps in doubles, from version 0 of `initial`. Numbers have ten digits. */
export function training() {
  const range = { window: 30, seed: 4_000_000_001, steps: 6, batch: 2 };
  const rates = Array.from({ length: range.steps }, (_, step) => 0.001 * (step + 1));
  const layout = layoutOf(SHAPE);
  const loaded = initialWeights(SHAPE, 5);
  const state = oracleState(loaded);
  const steps = [...batchesOf(SHARD, range, SHAPE.context)].map((tokens, step) => {
    const { loss, gradient } = oracleLossAndGradient(SHAPE, state.weights, tokens, range.batch);
    oracleUpdate(layout, state, OPTIMIZER, gradient, rates[step]!);
    const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
    const weights = Array.from({ length: 12 }, (_, i) => digits(state.weights[i * 173]!));
    return { loss: digits(loss), norm: digits(norm), weights };
  });
  const delta = loaded.map((value, i) => value - Math.fround(state.weights[i]!));
  return {
    optimizer: OPTIMIZER,
    shard: [...SHARD],
    range,
    rates,
    every: 173,
    steps,
    frame: toHex(encodeFrame(DENSE4, delta)),
  };
}

/** Ten significant digits: the last bits of exp and tanh differ between engines. */
const digits = (value: number): number => Number(value.toPrecision(10));
