import * as tf from "@tensorflow/tfjs-core";
import type { ModelShape } from "../contract/config.ts";
import { type Layout, layoutOf } from "../contract/layout.ts";

/**
 * GPT-2 (Radford et al. 2019) in plain tfjs ops, on any tfjs backend: what the network computes, top to
 * bottom. Letters in shapes: B sequences of T tokens, R = B·T rows, C the width, H heads of D = C ÷ H,
 * V the vocabulary, P all parameters. Activations stay [R, ·]: tfjs has no gradient for a matrix
 * broadcast over a batch.
 *
 * Each part states its own derivative (tf.customGrad), for three reasons: a bundled tfjs-core registers no
 * gradients of its own, the WASM backend lacks the kernels that some of them need, and the derivatives below
 * use fewer kernels. The chain rule between the parts is left to tfjs. Every part is compared with the f64
 * oracle (oracle.ts).
 */

// --- The network ---------------------------------------------------------------------------------------

/** One micro-batch on the device. */
export interface Batch {
  readonly size: number; // B
  readonly time: number; // T
  readonly inputs: tf.Tensor1D; // [R] int32
}

/** Logits [R, V]: at each position, how likely each token is to come next, up to a constant. */
export function gpt2(shape: ModelShape, parameters: readonly tf.Tensor[], batch: Batch): tf.Tensor2D {
  const p = byName(shape, parameters);
  const mask = causalMask(batch.time);
  let x = embed(p("wte.weight"), p("wpe.weight"), batch); // [R, C]
  for (let layer = 0; layer < shape.layers; layer++) {
    const h = (name: string) => p(`h.${layer}.${name}`);

    const normal1 = layerNorm(x, h("ln_1.weight"), h("ln_1.bias"));
    const qkv = linear(normal1, h("attn.c_attn.weight"), h("attn.c_attn.bias")); // [R, 3C]
    const mixed = attention(qkv, mask, shape.heads, batch); // [R, C]
    x = add(x, linear(mixed, h("attn.c_proj.weight"), h("attn.c_proj.bias")));

    const normal2 = layerNorm(x, h("ln_2.weight"), h("ln_2.bias"));
    const wide = linear(normal2, h("mlp.c_fc.weight"), h("mlp.c_fc.bias")); // [R, 4C]
    x = add(x, linear(gelu(wide), h("mlp.c_proj.weight"), h("mlp.c_proj.bias")));
  }
  const last = layerNorm(x, p("ln_f.weight"), p("ln_f.bias"));
  return head(last, p("wte.weight")); // the head is the embedding again
}

/** Mean cross-entropy, nats a token, of the next tokens `targets` [R] int32. */
export function lossOf(
  shape: ModelShape,
  parameters: readonly tf.Tensor[],
  batch: Batch,
  targets: tf.Tensor1D,
): tf.Scalar {
  return crossEntropy(gpt2(shape, parameters, batch), targets);
}

/** The flat vector [P] as the layout's tensors, in order. */
export function unflatten(layout: Layout, flat: tf.Tensor1D): tf.Tensor[] {
  return layout.tensors.map(({ shape, offset, length }) =>
    tf.reshape(tf.slice(flat, offset, length), [...shape]),
  );
}

/** The layout's tensors, in order, as one flat vector [P]. */
export function flatten(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.concat(tensors.map((tensor) => tf.reshape<tf.Rank.R1>(tensor, [tensor.size])));
}

// --- Its parts, each with its derivative ---------------------------------------------------------------

/** Token plus position: wte [V, C], wpe [≥ T, C] → [R, C]. */
function embed(wte: tf.Tensor, wpe: tf.Tensor, { size, time, inputs }: Batch): tf.Tensor2D {
  const [vocabulary, width] = wte.shape as [number, number];
  const [context] = wpe.shape as [number, number];
  return part(
    [wte, wpe],
    () => {
      const token = tf.reshape(tf.gather(wte, inputs), [size, time, width]);
      const position = tf.slice(wpe, 0, time); // broadcast over the batch
      return { value: tf.reshape(tf.add(token, position), [size * time, width]), keep: [inputs] };
    },
    (dy, [ids]) => {
      // A one-hot matrix product adds up the rows of each token: gather's own gradient is missing on WASM.
      const chosen = oneHot(ids!, vocabulary);
      const dWte = tf.matMul(tf.transpose(chosen), dy);
      const dPosition = tf.sum(tf.reshape(dy, [size, time, width]), 0); // [T, C]
      const dWpe = tf.pad(dPosition, [
        [0, context - time],
        [0, 0],
      ]);
      return [dWte, dWpe];
    },
  );
}

/** x [R, in] · w [in, out] + b [out] → [R, out]. */
function linear(x: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor2D {
  return part(
    [x, w, b],
    () => ({ value: tf.add(tf.matMul(x, w), b), keep: [x, w] }),
    // Transposing first is 10 times faster on WASM than matMul's own flags, and lets WebGPU use vec4.
    (dy, [x, w]) => [tf.matMul(dy, tf.transpose(w!)), tf.matMul(tf.transpose(x!), dy), tf.sum(dy, 0)],
  );
}

/** x [R, C] · wteᵀ [C, V] → logits [R, V]. */
function head(x: tf.Tensor, wte: tf.Tensor): tf.Tensor2D {
  return part(
    [x, wte],
    () => ({ value: tf.matMul(x, tf.transpose(wte)), keep: [x, wte] }),
    (dy, [x, wte]) => [tf.matMul(dy, wte!), tf.matMul(tf.transpose(dy), x!)],
  );
}

/** Each row to mean 0 and variance 1, then times gain [C] plus bias [C]. */
function layerNorm(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor): tf.Tensor2D {
  return part(
    [x, gain, bias],
    () => {
      const centred = tf.sub(x, tf.mean(x, 1, true));
      const variance = tf.mean(tf.square(centred), 1, true);
      const inverse = tf.rsqrt(tf.add(variance, 1e-5)); // [R, 1]
      const hat = tf.mul(centred, inverse);
      return { value: tf.add(tf.mul(hat, gain), bias), keep: [hat, inverse, gain] };
    },
    (dy, [hat, inverse, gain]) => {
      const dHat = tf.mul(dy, gain!);
      const along = tf.mul(hat!, tf.mean(tf.mul(dHat, hat!), 1, true));
      const dx = tf.mul(tf.sub(tf.sub(dHat, tf.mean(dHat, 1, true)), along), inverse!);
      return [dx, tf.sum(tf.mul(dy, hat!), 0), tf.sum(dy, 0)];
    },
  );
}

/** Causal self-attention of every head: qkv [R, 3C] → [R, C]. */
function attention(qkv: tf.Tensor, mask: tf.Tensor, heads: number, { size, time }: Batch): tf.Tensor2D {
  const width = qkv.shape[1]! / 3;
  const side = width / heads; // D
  const scale = 1 / Math.sqrt(side);
  return part(
    [qkv],
    () => {
      const apart = tf.transpose(tf.reshape(qkv, [size, time, 3 * heads, side]), [0, 2, 1, 3]);
      const three = tf.unstack(tf.reshape(apart, [size, 3, heads * time * side]), 1);
      const [q, k, v] = three.map((one) => tf.reshape(one, [size * heads, time, side]));
      const scores = tf.add(tf.mul(multiply(q!, turn(k!)), scale), mask); // [B·H, T, T]
      const weights = tf.softmax(scores);
      const mixed = tf.reshape(multiply(weights, v!), [size, heads, time, side]);
      const value = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [size * time, width]);
      return { value, keep: [q!, k!, v!, weights] };
    },
    (dy, [q, k, v, weights]) => {
      const split = tf.transpose(tf.reshape(dy, [size, time, heads, side]), [0, 2, 1, 3]);
      const dMixed = tf.reshape(split, [size * heads, time, side]);
      const dV = multiply(turn(weights!), dMixed);
      const dWeights = multiply(dMixed, turn(v!));
      const mean = tf.sum(tf.mul(dWeights, weights!), -1, true);
      const dScores = tf.mul(tf.mul(weights!, tf.sub(dWeights, mean)), scale);
      const dQ = multiply(dScores, k!);
      const dK = multiply(turn(dScores), q!);
      const three = [dQ, dK, dV].map((one) => tf.reshape(one, [size, heads, time, side]));
      const joined = tf.transpose(tf.concat(three, 1), [0, 2, 1, 3]); // [B, T, 3H, D]
      return [tf.reshape(joined, [size * time, 3 * width])];
    },
  );
}

/** GELU's tanh form, ½x(1 + tanh u), written as x · σ(2u) with u = √(2/π)(x + .044715x³). */
function gelu(x: tf.Tensor): tf.Tensor2D {
  const a = 2 * Math.sqrt(2 / Math.PI);
  const b = a * 0.044715;
  return part(
    [x],
    () => {
      const gate = tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), b), a)));
      return { value: tf.mul(x, gate), keep: [x, gate] };
    },
    (dy, [x, gate]) => {
      const du = tf.add(tf.mul(tf.square(x!), 3 * b), a);
      const dGate = tf.mul(tf.sub(gate!, tf.square(gate!)), du);
      return [tf.mul(dy, tf.add(gate!, tf.mul(x!, dGate)))];
    },
  );
}

/** Mean −log softmax(logits)[target] over the rows; targets [R] int32. */
function crossEntropy(logits: tf.Tensor, targets: tf.Tensor1D): tf.Scalar {
  const [rows, vocabulary] = logits.shape as [number, number];
  return part(
    [logits],
    () => {
      const shifted = tf.sub(logits, tf.max(logits, 1, true));
      const logSum = tf.log(tf.sum(tf.exp(shifted), 1, true)); // [R, 1]
      const logProbability = tf.sub(shifted, logSum); // [R, V]
      const at = tf.add(tf.range(0, rows * vocabulary, vocabulary, "int32"), targets); // one index a row
      const chosen = tf.gather(tf.reshape(logProbability, [rows * vocabulary]), at);
      return { value: tf.neg(tf.mean(chosen)), keep: [logProbability, targets] };
    },
    (dy, [logProbability, ids]) => {
      const truth = oneHot(ids!, vocabulary);
      return [tf.mul(tf.sub(tf.exp(logProbability!), truth), tf.div(dy, rows))];
    },
  );
}

/** The residual stream's sum. */
function add(a: tf.Tensor, b: tf.Tensor): tf.Tensor2D {
  return part(
    [a, b],
    () => ({ value: tf.add(a, b), keep: [] }),
    (dy) => [dy, dy],
  );
}

// --- Tools ---------------------------------------------------------------------------------------------

/**
 * A function with its own derivative: `backward` gets the loss's gradient by the value and what `forward`
 * kept, and returns the gradient by each of `inputs`. It sees only what was kept: tfjs frees the rest.
 */
function part<R extends tf.Rank>(
  inputs: tf.Tensor[],
  forward: () => { value: tf.Tensor; keep: tf.Tensor[] },
  backward: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor<R> {
  const differentiable = tf.customGrad((...given) => {
    const save = given.at(-1);
    const { value, keep } = forward();
    if (typeof save === "function") save(keep);
    return { value, gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => backward(dy, kept) };
  });
  return differentiable(...inputs) as tf.Tensor<R>;
}

/** a [N, m, k] · b [N, k, n]. One by one on WASM, whose batched kernel is the slow one. */
function multiply(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  if (tf.getBackend() !== "wasm") return tf.matMul(a, b);
  const right = tf.unstack(b);
  return tf.stack(tf.unstack(a).map((left, i) => tf.matMul(left, right[i]!)));
}

/** [N, m, n] → [N, n, m]. */
const turn = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, 2, 1]);

/** ids [R] → [R, V]. Cast after: tfjs 4.22's WASM kernel writes integers into a float tensor. */
const oneHot = (ids: tf.Tensor, vocabulary: number): tf.Tensor =>
  tf.cast(tf.oneHot(ids as tf.Tensor1D, vocabulary), "float32");

/** 0 where a position may look, −10⁹ where it would see the future: [T, T]. */
function causalMask(time: number): tf.Tensor2D {
  const mask = new Float32Array(time * time);
  for (let t = 0; t < time; t++) mask.fill(-1e9, t * time + t + 1, (t + 1) * time);
  return tf.tensor2d(mask, [time, time]);
}

function byName(shape: ModelShape, parameters: readonly tf.Tensor[]): (name: string) => tf.Tensor {
  const index = new Map(layoutOf(shape).tensors.map(({ name }, i) => [name, i]));
  return (name) => parameters[index.get(name)!]!;
}
