import { defaultDevice, init, jit, nn, numpy as np, type Array as Tensor, valueAndGrad } from "@jax-js/jax";
import { BATCH, CONFIGS, OPTIMIZER, RATE, SEED, type Stepper } from "../../client/benchmark/workload.ts";
import type { ModelShape } from "../../model/contract/config.ts";
import { initialWeights } from "../../model/contract/init.ts";
import { decays, layoutOf } from "../../model/contract/layout.ts";
import type { Job } from "./job.ts";

type Tensors = Record<string, Tensor>;

/**
 * The strongest peer: GPT-2 and AdamW in jax-js, the whole step under one `jit`, parameters and moments staying
 * on the device. Tokens come as one-hot matrices made outside the measured time, because the compiler of 0.1.25
 * refuses a gather's gradient (a scatter). jax-js counts references: every use of a tensor but its last is `.ref`.
 */
export async function openJax({ config, device }: Job): Promise<Stepper> {
  await init(device);
  defaultDevice(device);
  const shape = CONFIGS[config];
  const { context, vocabulary } = shape;
  const step = jit(trainingStep(shape));
  const mask = np.array(causalMask(context)).reshape([context, context]);
  const weights = initialWeights(shape, SEED);
  let parameters = tensorsOf(shape, (offset, length) => weights.slice(offset, offset + length));
  let m = tensorsOf(shape, (_, length) => new Float32Array(length));
  let v = tensorsOf(shape, (_, length) => new Float32Array(length));
  let inputs: Tensor | undefined;
  let targets: Tensor | undefined;
  let taken = 0;
  return {
    detail: "jax-js",
    dispatches: null,
    stage: (tokens) => {
      inputs = oneHot(tokens, context, vocabulary, 0);
      targets = oneHot(tokens, context, vocabulary, 1);
    },
    step: async () => {
      if (!inputs || !targets) throw new Error("no tokens were staged");
      taken++;
      const corrections = [1 - OPTIMIZER.beta1 ** taken, 1 - OPTIMIZER.beta2 ** taken];
      const [c1, c2] = corrections.map((value) => np.array(value));
      const out = step(parameters, m, v, inputs, targets, mask.ref, c1!, c2!);
      parameters = out.parameters;
      m = out.m;
      v = out.v;
      const [loss] = await out.loss.data();
      // The loss is known before the update is through.
      await Promise.all(Object.values(parameters).map((tensor) => tensor.blockUntilReady()));
      return loss!;
    },
  };
}

/** Forward, backward, clip and AdamW. Consumes what it is given. */
function trainingStep(shape: ModelShape) {
  const { beta1, beta2, epsilon, weightDecay, clip } = OPTIMIZER;
  const { tensors } = layoutOf(shape);
  const lossAndGradients = valueAndGrad((p: Tensors, inputs: Tensor, targets: Tensor, mask: Tensor) =>
    lossOf(shape, p, inputs, targets, mask),
  );
  return (
    parameters: Tensors,
    m: Tensors,
    v: Tensors,
    inputs: Tensor,
    targets: Tensor,
    mask: Tensor,
    correction1: Tensor,
    correction2: Tensor,
  ) => {
    const kept = Object.fromEntries(Object.entries(parameters).map(([name, tensor]) => [name, tensor.ref]));
    const [loss, gradients] = lossAndGradients(kept, inputs, targets, mask) as [Tensor, Tensors];
    const squares = tensors.map(({ name }) => np.square(gradients[name]!.ref).sum());
    const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
    const scale = np.minimum(np.reciprocal(norm).mul(clip), 1);
    const next = { loss, parameters: {} as Tensors, m: {} as Tensors, v: {} as Tensors };
    for (const tensor of tensors) {
      const { name } = tensor;
      const g = gradients[name]!.mul(scale.ref);
      const mean = m[name]!.mul(beta1).add(g.ref.mul(1 - beta1));
      const square = v[name]!.mul(beta2).add(np.square(g).mul(1 - beta2));
      const deviation = np.sqrt(square.ref.div(correction2.ref)).add(epsilon);
      const update = mean.ref.div(correction1.ref).div(deviation).mul(RATE);
      const kept = decays(tensor) ? 1 - RATE * weightDecay : 1;
      next.parameters[name] = parameters[name]!.mul(kept).sub(update);
      next.m[name] = mean;
      next.v[name] = square;
    }
    for (const used of [scale, correction1, correction2]) used.dispose();
    return next;
  };
}

/** Mean cross-entropy; inputs and targets one-hot [R, V], mask [T, T]. */
function lossOf(shape: ModelShape, p: Tensors, inputs: Tensor, targets: Tensor, mask: Tensor): Tensor {
  const { layers, heads, width: C, context: T } = shape;
  const [R, D] = [BATCH * T, C / heads];
  const tokens = np.matmul(inputs, p["wte.weight"]!.ref).reshape([BATCH, T, C]);
  let x = tokens.add(p["wpe.weight"]!).reshape([R, C]);
  for (let layer = 0; layer < layers; layer++) {
    const w = (name: string): Tensor => p[`h.${layer}.${name}`]!;
    const linear = (input: Tensor, name: string) =>
      np.matmul(input, w(`${name}.weight`)).add(w(`${name}.bias`));
    const normal1 = layerNorm(x.ref, w("ln_1.weight"), w("ln_1.bias"));
    const qkv = linear(normal1, "attn.c_attn").reshape([BATCH, T, 3, heads, D]);
    const part = (which: number) => qkv.ref.slice([], [], which, [], []).transpose([0, 2, 1, 3]); // [B, H, T, D]
    const [q, k, values] = [part(0), part(1), part(2)];
    qkv.dispose();
    const scores = np
      .matmul(q, k.transpose([0, 1, 3, 2]))
      .mul(D ** -0.5)
      .add(mask.ref);
    const mixed = np.matmul(nn.softmax(scores, -1), values).transpose([0, 2, 1, 3]).reshape([R, C]);
    x = x.add(linear(mixed, "attn.c_proj"));
    const normal2 = layerNorm(x.ref, w("ln_2.weight"), w("ln_2.bias"));
    x = x.add(linear(gelu(linear(normal2, "mlp.c_fc")), "mlp.c_proj"));
  }
  mask.dispose();
  const last = layerNorm(x, p["ln_f.weight"]!, p["ln_f.bias"]!);
  const logits = np.matmul(last, np.transpose(p["wte.weight"]!));
  return nn
    .logSoftmax(logits, -1)
    .mul(targets)
    .sum()
    .mul(-1 / R);
}

function layerNorm(x: Tensor, gain: Tensor, bias: Tensor): Tensor {
  const mean = x.ref.mean(-1, { keepdims: true });
  const centred = x.sub(mean);
  const variance = np.square(centred.ref).mean(-1, { keepdims: true });
  return centred
    .mul(np.reciprocal(np.sqrt(variance.add(1e-5))))
    .mul(gain)
    .add(bias);
}

/** The tanh form as x·σ(2u): one exp, where nn.gelu would take a tanh. */
function gelu(x: Tensor): Tensor {
  const cubic = x.ref.add(x.ref.mul(x.ref).mul(x.ref).mul(0.044715));
  return x.mul(nn.sigmoid(cubic.mul(2 * Math.sqrt(2 / Math.PI))));
}

function tensorsOf(shape: ModelShape, values: (offset: number, length: number) => Float32Array): Tensors {
  const entries = layoutOf(shape).tensors.map((tensor) => {
    const flat = np.array(values(tensor.offset, tensor.length) as Float32Array<ArrayBuffer>);
    return [tensor.name, flat.reshape([...tensor.shape])] as const;
  });
  return Object.fromEntries(entries);
}

/** [R, V]: a one where token `shift` places on is. */
function oneHot(tokens: Uint16Array, context: number, vocabulary: number, shift: number): Tensor {
  const rows = BATCH * context;
  const ones = new Float32Array(rows * vocabulary);
  for (let row = 0; row < rows; row++)
    ones[row * vocabulary + tokens[row + Math.floor(row / context) + shift]!] = 1;
  return np.array(ones).reshape([rows, vocabulary]);
}

function causalMask(time: number): Float32Array<ArrayBuffer> {
  const mask = new Float32Array(time * time);
  for (let t = 0; t < time; t++) mask.fill(-1e9, t * time + t + 1, (t + 1) * time);
  return mask;
}
