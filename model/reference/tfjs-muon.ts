import * as tf from "@tensorflow/tfjs-core";
import type { AdamW } from "../contract/config.ts";
import { isHidden, type Layout, type Tensor } from "../contract/layout.ts";
import { ITERATIONS, MOMENTUM, muonMatrices, QUINTIC, stepScale } from "../contract/muon.ts";
import { type AdamWState, adamW, clipped } from "./adamw.ts";

/** One step of Muon for the hidden matrices and AdamW for the rest (muon.ts); otherwise as {@link adamW}. */
export function muon(
  optimizer: AdamW,
  state: AdamWState,
  gradient: tf.Tensor1D,
  decay: tf.Tensor1D,
  step: number,
  rate: number,
  layout: Layout,
): AdamWState {
  const g = clipped(gradient, optimizer.clip);
  const rest = adamW(optimizer, state, gradient, decay, step, rate);
  const keep = 1 - rate * optimizer.weightDecay;
  const pieces = layout.tensors.map((tensor) => {
    const of = (flat: tf.Tensor1D) => tf.slice(flat, tensor.offset, tensor.length);
    if (!isHidden(tensor)) return { weights: of(rest.weights), m: of(rest.m), v: of(rest.v) };
    const m: tf.Tensor1D = tf.add(tf.mul(of(state.m), MOMENTUM), tf.mul(of(g), 1 - MOMENTUM));
    const d: tf.Tensor1D = tf.add(tf.mul(of(g), 1 - MOMENTUM), tf.mul(m, MOMENTUM));
    const weights: tf.Tensor1D = tf.sub(
      tf.mul(of(state.weights), keep),
      tf.mul(stepOf(d, tensor, layout), rate),
    );
    return { weights, m, v: tf.zeros<tf.Rank.R1>([tensor.length]) };
  });
  return {
    weights: tf.concat(pieces.map(({ weights }) => weights)),
    m: tf.concat(pieces.map(({ m }) => m)),
    v: tf.concat(pieces.map(({ v }) => v)),
  };
}

/** A hidden tensor's step, flat: that of each of the matrices in it. */
function stepOf(d: tf.Tensor1D, tensor: Tensor, layout: Layout): tf.Tensor1D {
  const all = tf.reshape<tf.Rank.R2>(d, tensor.shape as [number, number]);
  const end = tensor.offset + tensor.length;
  const parts = muonMatrices(layout).filter(({ offset }) => tensor.offset <= offset && offset < end);
  const turned = parts.map(({ offset, rows, columns }) =>
    turn(tf.slice(all, [0, offset - tensor.offset], [rows, columns]), rows, columns),
  );
  return tf.reshape(tf.concat(turned, 1), [tensor.length]);
}

/** Newton–Schulz of a matrix, times its scale. */
function turn(d: tf.Tensor2D, rows: number, columns: number): tf.Tensor2D {
  const [a, b, c] = QUINTIC;
  const norm = tf.sqrt(tf.sum(tf.square(d)));
  // zeros stay zeros
  const given = tf.div<tf.Tensor2D>(d, tf.add(norm, tf.equal(norm, 0)));
  let x = rows > columns ? tf.transpose(given) : given;
  for (let i = 0; i < ITERATIONS; i++) {
    const gram = tf.matMul<tf.Tensor2D>(x, x, false, true);
    const square = tf.matMul<tf.Tensor2D>(gram, gram);
    const pull = tf.add<tf.Tensor2D>(tf.mul(gram, b), tf.mul(square, c));
    x = tf.add<tf.Tensor2D>(tf.mul(x, a), tf.matMul<tf.Tensor2D>(pull, x));
  }
  const step = rows > columns ? tf.transpose(x) : x;
  return tf.mul(step, stepScale(rows, columns));
}
