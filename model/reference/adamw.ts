import * as tf from "@tensorflow/tfjs-core";
import type { AdamW } from "../contract/config.ts";
import { decays, type Layout } from "../contract/layout.ts";

/** AdamW's state on the device: flat vectors [P]. */
export interface AdamWState {
  readonly weights: tf.Tensor1D;
  /** Mean of gradients. */
  readonly m: tf.Tensor1D;
  /** Mean of squared gradients. */
  readonly v: tf.Tensor1D;
}

/**
 * One AdamW step (Loshchilov & Hutter 2017; Kingma & Ba 2014 for the bias corrections) on flat vectors, the
 * gradient first scaled so that its norm over all tensors is at most `clip`. `decay` is {@link decayMask};
 * `step` counts this step, from 1. Reads nothing back. Call within tf.tidy and keep what it returns.
 */
export function adamW(
  { beta1, beta2, epsilon, weightDecay, clip }: AdamW,
  { weights, m, v }: AdamWState,
  gradient: tf.Tensor1D,
  decay: tf.Tensor1D,
  step: number,
  rate: number,
): AdamWState {
  const g = clipped(gradient, clip);
  const nextM: tf.Tensor1D = tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1));
  const nextV: tf.Tensor1D = tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2));
  const mean = tf.mul(nextM, rate / (1 - beta1 ** step));
  const deviation = tf.add(tf.sqrt(tf.mul(nextV, 1 / (1 - beta2 ** step))), epsilon);
  const decayed = tf.sub(weights, tf.mul(tf.mul(weights, decay), rate * weightDecay));
  return { weights: tf.sub(decayed, tf.div(mean, deviation)), m: nextM, v: nextV };
}

/** The gradient, scaled so that its norm over all tensors is at most `clip`. */
export function clipped(gradient: tf.Tensor1D, clip: number): tf.Tensor1D {
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  return tf.mul(gradient, tf.div(clip, tf.maximum(norm, clip)));
}

/** 1 where weight decay pulls, 0 elsewhere: [P]. */
export function decayMask(layout: Layout): Float32Array {
  const mask = new Float32Array(layout.length);
  for (const tensor of layout.tensors)
    if (decays(tensor)) mask.fill(1, tensor.offset, tensor.offset + tensor.length);
  return mask;
}
