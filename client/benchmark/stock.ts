import * as tf from "@tensorflow/tfjs-core";
import type { ModelShape } from "../../model/contract/config.ts";
import { initialWeights } from "../../model/contract/init.ts";
import { decays, layoutOf } from "../../model/contract/layout.ts";
import { BATCH, OPTIMIZER, RATE, SEED, type Stepper } from "./workload.ts";

/**
 * Stock tfjs: the network as its documentation would have one write it, op by op, with tfjs' own gradients and
 * an Adam a tensor like tf.train.adam's (with decay and clipping, which that lacks). model/reference/gpt2.ts, the leaner
 * reference, is not what people run today. Embeddings are a one-hot product: the WASM backend cannot derive a
 * gather. `wasmPath`: where a page finds that backend's binaries.
 */
export async function openStock(
  shape: ModelShape,
  device: "wasm" | "webgpu",
  wasmPath?: string,
): Promise<Stepper> {
  tf.enableProdMode();
  await import("@tensorflow/tfjs-core/dist/register_all_gradients.js"); // stock tfjs has them from the start
  if (device === "wasm") {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    if (wasmPath !== undefined) setWasmPaths(wasmPath);
  } else await import("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend(device))) throw new Error(`tfjs could not start ${device}`);
  const { context } = shape;
  const layout = layoutOf(shape);
  const weights = initialWeights(shape, SEED);
  const each = (values: (offset: number, length: number) => Float32Array) =>
    layout.tensors.map((tensor) => tf.tensor(values(tensor.offset, tensor.length), [...tensor.shape]));
  let state: State = {
    weights: each((offset, length) => weights.slice(offset, offset + length)),
    m: each((_, length) => new Float32Array(length)),
    v: each((_, length) => new Float32Array(length)),
  };
  const mask = tf.tensor2d(causalMask(context), [context, context]);
  const decay = layout.tensors.map((tensor) => (decays(tensor) ? 1 - RATE * OPTIMIZER.weightDecay : 1));
  let [inputs, targets] = [new Int32Array(), new Int32Array()];
  let taken = 0;
  return {
    detail: `tfjs ${tf.version_core}, ${device}`,
    dispatches: null,
    stage: (tokens) => {
      const shifted = (by: number) =>
        Int32Array.from(
          { length: BATCH * context },
          (_, row) => tokens[row + Math.floor(row / context) + by]!,
        );
      inputs = shifted(0);
      targets = shifted(1);
    },
    step: async () => {
      taken++;
      const { loss, ...next } = tf.tidy(() => {
        const loss = (...parameters: tf.Tensor[]) => lossOf(shape, parameters, inputs, targets, mask);
        const { value, grads } = tf.valueAndGrads(loss)([...state.weights]);
        return { loss: value, ...adam(state, grads, decay, taken) };
      });
      tf.dispose({ ...state });
      state = next;
      const [value] = await loss.data();
      loss.dispose();
      await state.weights.at(-1)!.data(); // the last to be queued: all others are done when it is
      return value!;
    },
    dispose: () => tf.dispose({ ...state, mask }),
  };
}

interface State {
  weights: tf.Tensor[];
  m: tf.Tensor[];
  v: tf.Tensor[];
}

function adam(state: State, gradients: readonly tf.Tensor[], decay: readonly number[], step: number): State {
  const { beta1, beta2, epsilon, clip } = OPTIMIZER;
  // One by one: on WebGPU tf.addN takes no more tensors than a kernel may bind.
  const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt(squares.reduce((sum, square) => tf.add(sum, square)));
  const scale = tf.minimum(tf.div(clip, norm), 1);
  const scaled = gradients.map((gradient) => tf.mul(gradient, scale));
  const m = state.m.map((mean, i) => tf.add(tf.mul(mean, beta1), tf.mul(scaled[i]!, 1 - beta1)));
  const v = state.v.map((mean, i) => tf.add(tf.mul(mean, beta2), tf.mul(tf.square(scaled[i]!), 1 - beta2)));
  const weights = state.weights.map((weight, i) => {
    const deviation = tf.add(tf.sqrt(tf.div(v[i]!, 1 - beta2 ** step)), epsilon);
    const update = tf.div(tf.div(m[i]!, 1 - beta1 ** step), deviation);
    return tf.sub(tf.mul(weight, decay[i]!), tf.mul(update, RATE));
  });
  return { weights, m, v };
}

/** Mean cross-entropy; inputs and targets [R]. */
function lossOf(
  shape: ModelShape,
  parameters: readonly tf.Tensor[],
  inputs: Int32Array,
  targets: Int32Array,
  mask: tf.Tensor2D,
): tf.Scalar {
  const { layers, heads, width: C, context: T, vocabulary: V } = shape;
  const D = C / heads;
  const index = new Map(layoutOf(shape).tensors.map(({ name }, i) => [name, i]));
  const p = (name: string) => parameters[index.get(name)!]!;
  const oneHot = (ids: Int32Array) => tf.cast(tf.oneHot(tf.tensor1d(ids, "int32"), V), "float32");
  const linear = (x: tf.Tensor, name: string) => tf.add(tf.matMul(x, p(`${name}.weight`)), p(`${name}.bias`));

  const tokens = tf.reshape(tf.matMul(oneHot(inputs), p("wte.weight")), [BATCH, T, C]);
  let x: tf.Tensor = tf.reshape(tf.add(tokens, p("wpe.weight")), [BATCH * T, C]);
  for (let layer = 0; layer < layers; layer++) {
    const h = `h.${layer}`;
    const normal1 = layerNorm(x, p(`${h}.ln_1.weight`), p(`${h}.ln_1.bias`));
    const [q, k, v] = tf
      .split(linear(normal1, `${h}.attn.c_attn`), 3, 1)
      .map((part) => tf.transpose(tf.reshape(part, [BATCH, T, heads, D]), [0, 2, 1, 3]));
    const scores = tf.add(tf.mul(tf.matMul(q!, k!, false, true), D ** -0.5), mask); // [B, H, T, T]
    const mixed = tf.transpose(tf.matMul(tf.softmax(scores), v!), [0, 2, 1, 3]);
    x = tf.add(x, linear(tf.reshape(mixed, [BATCH * T, C]), `${h}.attn.c_proj`));
    const normal2 = layerNorm(x, p(`${h}.ln_2.weight`), p(`${h}.ln_2.bias`));
    x = tf.add(x, linear(gelu(linear(normal2, `${h}.mlp.c_fc`)), `${h}.mlp.c_proj`));
  }
  const last = layerNorm(x, p("ln_f.weight"), p("ln_f.bias"));
  const logits = tf.matMul(last, p("wte.weight"), false, true);
  return tf.losses.softmaxCrossEntropy(oneHot(targets), logits);
}

function layerNorm(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const { mean, variance } = tf.moments(x, 1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), gain), bias);
}

/** GELU's tanh form. */
function gelu(x: tf.Tensor): tf.Tensor {
  const cubic = tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(tf.mul(cubic, Math.sqrt(2 / Math.PI))), 1));
}

function causalMask(time: number): Float32Array {
  const mask = new Float32Array(time * time);
  for (let t = 0; t < time; t++) mask.fill(-1e9, t * time + t + 1, (t + 1) * time);
  return mask;
}
