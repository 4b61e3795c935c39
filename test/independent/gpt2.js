import { attention, attentionBackward } from "./attention.js";
import { layoutOf, viewsOf } from "./layout.js";
import { addRowsByRows, linear, linearBackward, transposed } from "./matrix.js";

/**
 * GPT-2, forward and backward in doubles: rules L2 and L3 of docs/PROTOCOL.md. Letters: B rows of text of T tokens each,
 * R = B × T positions, C the width, V the vocabulary.
 */

/**
 * The mean loss of `tokens` [B, T + 1] and its gradient by every weight of the flat vector.
 * @returns {{loss: number, gradient: Float64Array}}
 */
export function lossAndGradient(shape, weights, tokens, batch) {
  const { inputs, targets } = split(tokens, batch);
  const layout = layoutOf(shape);
  const p = viewsOf(layout, weights);
  const gradient = new Float64Array(layout.length);
  const d = viewsOf(layout, gradient);
  const dims = { ...shape, batch, time: tokens.length / batch - 1, rows: inputs.length };

  const kept = forward(dims, p, inputs);
  const { loss, dLogits } = crossEntropy(kept.logits, targets, shape.vocabulary);
  backward(dims, p, d, inputs, kept, dLogits);
  return { loss, gradient };
}

function forward(dims, p, inputs) {
  const { layers, rows, time, width, vocabulary } = dims;
  let x = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const [token, position] = [inputs[r] * width, (r % time) * width];
    for (let c = 0; c < width; c++)
      x[r * width + c] = p["wte.weight"][token + c] + p["wpe.weight"][position + c];
  }
  const blocks = [];
  for (let i = 0; i < layers; i++) {
    const h = (name) => p[`h.${i}.${name}`];
    const dense = (input, name, inner, columns) =>
      linear(input, h(`${name}.weight`), h(`${name}.bias`), rows, inner, columns);
    const normal1 = layerNorm(x, h("ln_1.weight"), h("ln_1.bias"), width);
    const qkv = dense(normal1.y, "attn.c_attn", width, 3 * width);
    const { mixed, probabilities } = attention(qkv, dims);
    const middle = sum(x, dense(mixed, "attn.c_proj", width, width));
    const normal2 = layerNorm(middle, h("ln_2.weight"), h("ln_2.bias"), width);
    const wide = dense(normal2.y, "mlp.c_fc", width, 4 * width);
    const active = activated(wide);
    blocks.push({ normal1, qkv, mixed, probabilities, normal2, wide, active });
    x = sum(middle, dense(active, "mlp.c_proj", 4 * width, width));
  }
  const last = layerNorm(x, p["ln_f.weight"], p["ln_f.bias"], width);
  const logits = new Float64Array(rows * vocabulary);
  addRowsByRows(logits, last.y, p["wte.weight"], rows, width, vocabulary); // the head is the embedding
  return { blocks, last, logits };
}

function backward(dims, p, d, inputs, { blocks, last }, dLogits) {
  const { layers, rows, time, width, vocabulary } = dims;
  const dLast = new Float64Array(rows * width);
  addRowsByRows(dLast, dLogits, transposed(p["wte.weight"], vocabulary, width), rows, vocabulary, width);
  const [dLogitsT, lastT] = [transposed(dLogits, rows, vocabulary), transposed(last.y, rows, width)];
  addRowsByRows(d["wte.weight"], dLogitsT, lastT, vocabulary, rows, width);
  let dx = layerNormBackward(last, dLast, p["ln_f.weight"], d["ln_f.weight"], d["ln_f.bias"], width);

  for (let i = layers - 1; i >= 0; i--) {
    const block = blocks[i];
    const name = (tensor) => `h.${i}.${tensor}`;
    const denseBack = (input, tensor, dOut, inner, columns) => {
      const [w, bias] = [name(`${tensor}.weight`), name(`${tensor}.bias`)];
      return linearBackward(input, p[w], d[w], d[bias], dOut, rows, inner, columns);
    };
    const normBack = (normal, tensor, dOut) => {
      const [w, bias] = [name(`${tensor}.weight`), name(`${tensor}.bias`)];
      return layerNormBackward(normal, dOut, p[w], d[w], d[bias], width);
    };
    const dActive = denseBack(block.active, "mlp.c_proj", dx, 4 * width, width);
    const dWide = activatedBackward(block.wide, dActive);
    const dNormal2 = denseBack(block.normal2.y, "mlp.c_fc", dWide, width, 4 * width);
    const dMiddle = sum(dx, normBack(block.normal2, "ln_2", dNormal2));
    const dMixed = denseBack(block.mixed, "attn.c_proj", dMiddle, width, width);
    const dQkv = attentionBackward(block.qkv, block.probabilities, dMixed, dims);
    const dNormal1 = denseBack(block.normal1.y, "attn.c_attn", dQkv, width, 3 * width);
    dx = sum(dMiddle, normBack(block.normal1, "ln_1", dNormal1));
  }
  for (let r = 0; r < rows; r++) {
    const [token, position] = [inputs[r] * width, (r % time) * width];
    for (let c = 0; c < width; c++) {
      d["wte.weight"][token + c] += dx[r * width + c];
      d["wpe.weight"][position + c] += dx[r * width + c];
    }
  }
}

/** The mean of −ln softmax(logits)[target], and its gradient by the logits. */
function crossEntropy(logits, targets, vocabulary) {
  const dLogits = new Float64Array(logits.length);
  let loss = 0;
  for (let r = 0; r < targets.length; r++) {
    const row = logits.subarray(r * vocabulary, (r + 1) * vocabulary);
    let most = -Infinity;
    for (const logit of row) if (logit > most) most = logit;
    let total = 0;
    for (const logit of row) total += Math.exp(logit - most);
    loss += Math.log(total) + most - row[targets[r]];
    const out = dLogits.subarray(r * vocabulary, (r + 1) * vocabulary);
    for (let v = 0; v < vocabulary; v++) out[v] = Math.exp(row[v] - most) / total / targets.length;
    out[targets[r]] -= 1 / targets.length;
  }
  return { loss: loss / targets.length, dLogits };
}

function layerNorm(x, weight, bias, width) {
  const [y, hat] = [new Float64Array(x.length), new Float64Array(x.length)];
  const inverse = new Float64Array(x.length / width);
  for (let r = 0; r < inverse.length; r++) {
    const at = r * width;
    let mean = 0;
    for (let c = 0; c < width; c++) mean += x[at + c] / width;
    let variance = 0;
    for (let c = 0; c < width; c++) variance += (x[at + c] - mean) ** 2 / width;
    inverse[r] = 1 / Math.sqrt(variance + 1e-5);
    for (let c = 0; c < width; c++) {
      hat[at + c] = (x[at + c] - mean) * inverse[r];
      y[at + c] = hat[at + c] * weight[c] + bias[c];
    }
  }
  return { y, hat, inverse };
}

function layerNormBackward({ hat, inverse }, dy, weight, dWeight, dBias, width) {
  const dx = new Float64Array(dy.length);
  for (let r = 0; r < inverse.length; r++) {
    const at = r * width;
    let [mean, along] = [0, 0];
    for (let c = 0; c < width; c++) {
      const dHat = dy[at + c] * weight[c];
      mean += dHat / width;
      along += (dHat * hat[at + c]) / width;
      dWeight[c] += dy[at + c] * hat[at + c];
      dBias[c] += dy[at + c];
    }
    for (let c = 0; c < width; c++) {
      dx[at + c] = (dy[at + c] * weight[c] - mean - hat[at + c] * along) * inverse[r];
    }
  }
  return dx;
}

const A = Math.sqrt(2 / Math.PI);
const B = 0.044715;

/** GELU's tanh form. */
const gelu = (x) => 0.5 * x * (1 + Math.tanh(A * (x + B * x * x * x)));

function geluSlope(x) {
  const t = Math.tanh(A * (x + B * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * A * (1 + 3 * B * x * x);
}

/** Loops, since a typed array's own map takes several times as long. */
function sum(a, b) {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i] + b[i];
  return out;
}

function activated(wide) {
  const out = new Float64Array(wide.length);
  for (let i = 0; i < wide.length; i++) out[i] = gelu(wide[i]);
  return out;
}

function activatedBackward(wide, dActive) {
  const out = new Float64Array(wide.length);
  for (let i = 0; i < wide.length; i++) out[i] = dActive[i] * geluSlope(wide[i]);
  return out;
}

/** [B, T + 1] as inputs and targets [B, T] each. */
function split(tokens, batch) {
  const time = tokens.length / batch - 1;
  const [inputs, targets] = [new Uint16Array(batch * time), new Uint16Array(batch * time)];
  for (let b = 0; b < batch; b++) {
    const row = tokens.subarray(b * (time + 1), (b + 1) * (time + 1));
    inputs.set(row.subarray(0, time), b * time);
    targets.set(row.subarray(1), b * time);
  }
  return { inputs, targets };
}
