import type { AdamW, ModelShape, Optimizer } from "../../model/contract/config.ts";
import { decays, isHidden, type Layout, layoutOf, type Tensor } from "../../model/contract/layout.ts";
import { oracleMuon } from "./oracle-muon.ts";
import {
  add,
  attention,
  attentionBackward,
  crossEntropy,
  gelu,
  geluSlope,
  layerNorm,
  layerNormBackward,
  linear,
  linearBackward,
  type Normal,
} from "./parts.ts";

/**
 * The f64 oracle of the tests: GPT-2's forward, loss, hand-derived backward and AdamW in plain loops over
 * doubles. Slow and obvious on purpose. The backward is itself held against central differences
 * (oracle.test.ts); every engine is held against this file. The product never loads it.
 *
 * Letters: B sequences of T positions, R = B·T rows, C the width, V the vocabulary.
 */

/** Mean loss in nats a token, and its gradient by every weight (flat, as the layout has them). */
export interface LossAndGradient {
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** `tokens` is [batch, T + 1] row-major: the first T of a row are the input, the last T the targets. */
export function oracleLoss(
  shape: ModelShape,
  weights: Float64Array,
  tokens: Uint16Array,
  batch: number,
): number {
  const { inputs, targets, time } = split(tokens, batch);
  const { logits } = forward(shape, weights, inputs, batch, time);
  return crossEntropy(logits, targets, shape.vocabulary).loss;
}

/** As {@link oracleLoss}, with the gradient. */
export function oracleLossAndGradient(
  shape: ModelShape,
  weights: Float64Array,
  tokens: Uint16Array,
  batch: number,
): LossAndGradient {
  const { inputs, targets, time } = split(tokens, batch);
  const kept = forward(shape, weights, inputs, batch, time);
  const { loss, dLogits } = crossEntropy(kept.logits, targets, shape.vocabulary);
  return { loss, gradient: backward(shape, weights, inputs, batch, time, kept, dLogits) };
}

/** Logits [T, V] of one sequence of T tokens. */
export function oracleLogits(shape: ModelShape, weights: Float64Array, tokens: Uint16Array): Float64Array {
  return forward(shape, weights, tokens, 1, tokens.length).logits;
}

/** What the optimiser carries from step to step; of a matrix that is Muon's, v stays 0. */
export interface OracleState {
  weights: Float64Array;
  m: Float64Array;
  v: Float64Array;
  step: number;
}

/** A training start: zero moments, step 0. Copies the weights to doubles. */
export function oracleState(weights: ArrayLike<number>): OracleState {
  return {
    weights: Float64Array.from(weights),
    m: new Float64Array(weights.length),
    v: new Float64Array(weights.length),
    step: 0,
  };
}

/** One training step in place: gradient, clip, AdamW or Muon. Returns the loss before the update. */
export function oracleStep(
  shape: ModelShape,
  state: OracleState,
  optimizer: Optimizer,
  tokens: Uint16Array,
  batch: number,
  rate: number,
): number {
  const { loss, gradient } = oracleLossAndGradient(shape, state.weights, tokens, batch);
  oracleUpdate(layoutOf(shape), state, optimizer, gradient, rate);
  return loss;
}

/** The update in place: clip by the global norm, then AdamW, or Muon for the hidden matrices and AdamW for the rest. */
export function oracleUpdate(
  layout: Layout,
  state: OracleState,
  optimizer: Optimizer,
  gradient: Float64Array,
  rate: number,
): void {
  const { clip, weightDecay, inner = "adamw" } = optimizer;
  const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  const clipped = gradient.map((g) => g * (norm > clip ? clip / norm : 1));
  state.step++;
  const muon = inner === "muon";
  adamW(
    muon ? layout.tensors.filter((tensor) => !isHidden(tensor)) : layout.tensors,
    state,
    optimizer,
    clipped,
    rate,
  );
  if (muon) oracleMuon(layout, state, clipped, rate, weightDecay);
}

/** AdamW in place on some tensors: moments, bias corrections, decoupled decay. */
function adamW(
  tensors: readonly Tensor[],
  state: OracleState,
  { beta1, beta2, epsilon, weightDecay }: AdamW,
  gradient: Float64Array,
  rate: number,
): void {
  const correct1 = 1 - beta1 ** state.step;
  const correct2 = 1 - beta2 ** state.step;
  for (const tensor of tensors) {
    const keep = 1 - (decays(tensor) ? rate * weightDecay : 0);
    for (let i = tensor.offset; i < tensor.offset + tensor.length; i++) {
      const g = gradient[i]!;
      state.m[i] = beta1 * state.m[i]! + (1 - beta1) * g;
      state.v[i] = beta2 * state.v[i]! + (1 - beta2) * g * g;
      const update = state.m[i]! / correct1 / (Math.sqrt(state.v[i]! / correct2) + epsilon);
      state.weights[i] = state.weights[i]! * keep - rate * update;
    }
  }
}

// --- The whole network ---------------------------------------------------------------------------------

interface BlockKept {
  readonly x: Float64Array; // [R, C] into the block
  readonly normal1: Normal;
  readonly qkv: Float64Array; // [R, 3C]
  readonly probabilities: Float64Array; // [B, heads, T, T]
  readonly mixed: Float64Array; // [R, C] attention's output before c_proj
  readonly middle: Float64Array; // [R, C] after the attention's residual
  readonly normal2: Normal;
  readonly wide: Float64Array; // [R, 4C] before GELU
  readonly active: Float64Array; // [R, 4C] after GELU
}

interface Kept {
  readonly blocks: readonly BlockKept[];
  readonly last: Float64Array; // [R, C] out of the last block
  readonly normalF: Normal;
  readonly logits: Float64Array; // [R, V]
}

function forward(
  shape: ModelShape,
  weights: Float64Array,
  inputs: Uint16Array,
  batch: number,
  time: number,
): Kept {
  const { layers, heads, width, vocabulary } = shape;
  const rows = batch * time;
  const p = parametersOf(shape, weights);
  let x: Float64Array = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const token = inputs[row]! * width;
    const position = (row % time) * width;
    for (let c = 0; c < width; c++)
      x[row * width + c] = p("wte.weight")[token + c]! + p("wpe.weight")[position + c]!;
  }
  const blocks: BlockKept[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const h = (name: string) => p(`h.${layer}.${name}`);
    const normal1 = layerNorm(x, width, h("ln_1.weight"), h("ln_1.bias"));
    const qkv = linear(normal1.y, width, h("attn.c_attn.weight"), h("attn.c_attn.bias"));
    const { mixed, probabilities } = attention(qkv, batch, time, heads, width);
    const middle = add(x, linear(mixed, width, h("attn.c_proj.weight"), h("attn.c_proj.bias")));
    const normal2 = layerNorm(middle, width, h("ln_2.weight"), h("ln_2.bias"));
    const wide = linear(normal2.y, width, h("mlp.c_fc.weight"), h("mlp.c_fc.bias"));
    const active = wide.map(gelu);
    const out = add(middle, linear(active, 4 * width, h("mlp.c_proj.weight"), h("mlp.c_proj.bias")));
    blocks.push({ x, normal1, qkv, probabilities, mixed, middle, normal2, wide, active });
    x = out;
  }
  const normalF = layerNorm(x, width, p("ln_f.weight"), p("ln_f.bias"));
  const logits = new Float64Array(rows * vocabulary);
  const wte = p("wte.weight");
  for (let row = 0; row < rows; row++)
    for (let token = 0; token < vocabulary; token++) {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += normalF.y[row * width + c]! * wte[token * width + c]!;
      logits[row * vocabulary + token] = sum;
    }
  return { blocks, last: x, normalF, logits };
}

function backward(
  shape: ModelShape,
  weights: Float64Array,
  inputs: Uint16Array,
  batch: number,
  time: number,
  kept: Kept,
  dLogits: Float64Array,
): Float64Array {
  const { layers, heads, width, vocabulary } = shape;
  const rows = batch * time;
  const gradient = new Float64Array(weights.length);
  const p = parametersOf(shape, weights);
  const d = parametersOf(shape, gradient);

  // Tied head: logits = y · wteᵀ.
  const dY = new Float64Array(rows * width);
  const wte = p("wte.weight");
  const dWte = d("wte.weight");
  for (let row = 0; row < rows; row++)
    for (let token = 0; token < vocabulary; token++) {
      const g = dLogits[row * vocabulary + token]!;
      for (let c = 0; c < width; c++) {
        dY[row * width + c]! += g * wte[token * width + c]!;
        dWte[token * width + c]! += g * kept.normalF.y[row * width + c]!;
      }
    }
  let dx = layerNormBackward(kept.normalF, dY, width, p("ln_f.weight"), d("ln_f.weight"), d("ln_f.bias"));

  for (let layer = layers - 1; layer >= 0; layer--) {
    const h = (name: string) => p(`h.${layer}.${name}`);
    const dh = (name: string) => d(`h.${layer}.${name}`);
    const block = kept.blocks[layer]!;
    const back = (name: string, x: Float64Array, wide: number, dy: Float64Array) =>
      linearBackward(x, wide, h(`${name}.weight`), dy, dh(`${name}.weight`), dh(`${name}.bias`));
    const backNorm = (name: string, normal: Normal, dy: Float64Array) =>
      layerNormBackward(normal, dy, width, h(`${name}.weight`), dh(`${name}.weight`), dh(`${name}.bias`));

    const dActive = back("mlp.c_proj", block.active, 4 * width, dx);
    const dWide = dActive.map((g, i) => g * geluSlope(block.wide[i]!));
    const dMiddle = add(dx, backNorm("ln_2", block.normal2, back("mlp.c_fc", block.normal2.y, width, dWide)));
    const dMixed = back("attn.c_proj", block.mixed, width, dMiddle);
    const dQkv = attentionBackward(block.qkv, block.probabilities, dMixed, batch, time, heads, width);
    dx = add(dMiddle, backNorm("ln_1", block.normal1, back("attn.c_attn", block.normal1.y, width, dQkv)));
  }

  const dWpe = d("wpe.weight");
  for (let row = 0; row < rows; row++) {
    const token = inputs[row]! * width;
    const position = (row % time) * width;
    for (let c = 0; c < width; c++) {
      dWte[token + c]! += dx[row * width + c]!;
      dWpe[position + c]! += dx[row * width + c]!;
    }
  }
  return gradient;
}

/** The tensors of a flat vector by name, as views. */
function parametersOf(shape: ModelShape, flat: Float64Array): (name: string) => Float64Array {
  const views = new Map(
    layoutOf(shape).tensors.map(({ name, offset, length }) => [name, flat.subarray(offset, offset + length)]),
  );
  return (name) => {
    const view = views.get(name);
    if (view === undefined) throw new Error(`no tensor ${name}`);
    return view;
  };
}

function split(tokens: Uint16Array, batch: number) {
  const time = tokens.length / batch - 1;
  const inputs = new Uint16Array(batch * time);
  const targets = new Uint16Array(batch * time);
  for (let b = 0; b < batch; b++) {
    const row = tokens.subarray(b * (time + 1), (b + 1) * (time + 1));
    inputs.set(row.subarray(0, time), b * time);
    targets.set(row.subarray(1), b * time);
  }
  return { inputs, targets, time };
}
