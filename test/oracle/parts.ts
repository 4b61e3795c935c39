/**
 * The parts of the f64 oracle (oracle.ts), each beside its derivative: plain loops over doubles, row-major,
 * R rows by C columns.
 */

const EPSILON = 1e-5; // GPT-2's layer norm

export interface Normal {
  readonly y: Float64Array;
  /** (x − mean) ÷ σ. */
  readonly hat: Float64Array;
  /** 1 ÷ σ of each row. */
  readonly inverse: Float64Array;
}

export function layerNorm(x: Float64Array, width: number, gain: Float64Array, bias: Float64Array): Normal {
  const rows = x.length / width;
  const [y, hat, inverse] = [
    new Float64Array(x.length),
    new Float64Array(x.length),
    new Float64Array(rows),
  ] as const;
  for (let row = 0; row < rows; row++) {
    const values = x.subarray(row * width, (row + 1) * width);
    const mean = values.reduce((sum, value) => sum + value, 0) / width;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    inverse[row] = 1 / Math.sqrt(variance + EPSILON);
    for (let c = 0; c < width; c++) {
      hat[row * width + c] = (values[c]! - mean) * inverse[row]!;
      y[row * width + c] = hat[row * width + c]! * gain[c]! + bias[c]!;
    }
  }
  return { y, hat, inverse };
}

/** dx = (ĝ − mean(ĝ) − x̂ · mean(ĝ · x̂)) ÷ σ with ĝ = dy · gain. Adds into dGain and dBias. */
export function layerNormBackward(
  { hat, inverse }: Normal,
  dy: Float64Array,
  width: number,
  gain: Float64Array,
  dGain: Float64Array,
  dBias: Float64Array,
): Float64Array {
  const dx = new Float64Array(dy.length);
  for (let row = 0; row < inverse.length; row++) {
    const at = row * width;
    let mean = 0;
    let along = 0;
    for (let c = 0; c < width; c++) {
      const g = dy[at + c]!;
      dGain[c]! += g * hat[at + c]!;
      dBias[c]! += g;
      mean += (g * gain[c]!) / width;
      along += (g * gain[c]! * hat[at + c]!) / width;
    }
    for (let c = 0; c < width; c++)
      dx[at + c] = (dy[at + c]! * gain[c]! - mean - hat[at + c]! * along) * inverse[row]!;
  }
  return dx;
}

/** y [R, out] = x [R, in] · w [in, out] + b. */
export function linear(x: Float64Array, width: number, w: Float64Array, b: Float64Array): Float64Array {
  const rows = x.length / width;
  const out = b.length;
  const y = new Float64Array(rows * out);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < out; o++) y[row * out + o] = b[o]!;
    for (let i = 0; i < width; i++) {
      const value = x[row * width + i]!;
      for (let o = 0; o < out; o++) y[row * out + o]! += value * w[i * out + o]!;
    }
  }
  return y;
}

/** Returns dx = dy · wᵀ; adds xᵀ · dy into dw and dy's column sums into db. */
export function linearBackward(
  x: Float64Array,
  width: number,
  w: Float64Array,
  dy: Float64Array,
  dw: Float64Array,
  db: Float64Array,
): Float64Array {
  const rows = x.length / width;
  const out = db.length;
  const dx = new Float64Array(x.length);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < out; o++) db[o]! += dy[row * out + o]!;
    for (let i = 0; i < width; i++) {
      const value = x[row * width + i]!;
      let sum = 0;
      for (let o = 0; o < out; o++) {
        const g = dy[row * out + o]!;
        sum += g * w[i * out + o]!;
        dw[i * out + o]! += value * g;
      }
      dx[row * width + i] = sum;
    }
  }
  return dx;
}

/** Causal softmax attention of every head: qkv [R, 3C] → mixed [R, C], probabilities [B, heads, T, T]. */
export function attention(qkv: Float64Array, batch: number, time: number, heads: number, width: number) {
  const side = width / heads;
  const mixed = new Float64Array(batch * time * width);
  const probabilities = new Float64Array(batch * heads * time * time);
  for (let b = 0; b < batch; b++)
    for (let head = 0; head < heads; head++)
      for (let t = 0; t < time; t++) {
        const q = (b * time + t) * 3 * width + head * side;
        const row = probabilities.subarray(((b * heads + head) * time + t) * time).subarray(0, t + 1);
        for (let s = 0; s <= t; s++) {
          const k = (b * time + s) * 3 * width + width + head * side;
          for (let c = 0; c < side; c++) row[s]! += (qkv[q + c]! * qkv[k + c]!) / Math.sqrt(side);
        }
        softmax(row);
        for (let s = 0; s <= t; s++) {
          const v = (b * time + s) * 3 * width + 2 * width + head * side;
          for (let c = 0; c < side; c++)
            mixed[(b * time + t) * width + head * side + c]! += row[s]! * qkv[v + c]!;
        }
      }
  return { mixed, probabilities };
}

/** Softmax's slope: dScore = P · (dP − Σ P · dP), with dP = dMixed · vᵀ. Returns d(qkv) [R, 3C]. */
export function attentionBackward(
  qkv: Float64Array,
  probabilities: Float64Array,
  dMixed: Float64Array,
  batch: number,
  time: number,
  heads: number,
  width: number,
): Float64Array {
  const side = width / heads;
  const dQkv = new Float64Array(qkv.length);
  const dP = new Float64Array(time);
  for (let b = 0; b < batch; b++)
    for (let head = 0; head < heads; head++)
      for (let t = 0; t < time; t++) {
        const out = (b * time + t) * width + head * side;
        const q = (b * time + t) * 3 * width + head * side;
        const row = probabilities.subarray(((b * heads + head) * time + t) * time);
        let sum = 0;
        for (let s = 0; s <= t; s++) {
          const v = (b * time + s) * 3 * width + 2 * width + head * side;
          dP[s] = 0;
          for (let c = 0; c < side; c++) {
            dP[s]! += dMixed[out + c]! * qkv[v + c]!;
            dQkv[v + c]! += row[s]! * dMixed[out + c]!;
          }
          sum += row[s]! * dP[s]!;
        }
        for (let s = 0; s <= t; s++) {
          const k = (b * time + s) * 3 * width + width + head * side;
          const dScore = (row[s]! * (dP[s]! - sum)) / Math.sqrt(side);
          for (let c = 0; c < side; c++) {
            dQkv[q + c]! += dScore * qkv[k + c]!;
            dQkv[k + c]! += dScore * qkv[q + c]!;
          }
        }
      }
  return dQkv;
}

const ROOT = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** GELU as GPT-2 has it: ½x(1 + tanh(√(2/π)(x + .044715x³))). */
export function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(ROOT * (x + CUBIC * x ** 3)));
}

export function geluSlope(x: number): number {
  const tanh = Math.tanh(ROOT * (x + CUBIC * x ** 3));
  return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh ** 2) * ROOT * (1 + 3 * CUBIC * x ** 2);
}

/** Mean −log softmax(logits)[target], and its slope by the logits: (softmax − one-hot) ÷ R. */
export function crossEntropy(logits: Float64Array, targets: Uint16Array, vocabulary: number) {
  const dLogits = logits.slice();
  let loss = 0;
  for (let row = 0; row < targets.length; row++) {
    const p = dLogits.subarray(row * vocabulary, (row + 1) * vocabulary);
    softmax(p);
    loss -= Math.log(p[targets[row]!]!) / targets.length;
    p[targets[row]!]! -= 1;
    for (let token = 0; token < vocabulary; token++) p[token]! /= targets.length;
  }
  return { loss, dLogits };
}

function softmax(row: Float64Array): void {
  const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    row[i] = Math.exp(row[i]! - most);
    sum += row[i]!;
  }
  for (let i = 0; i < row.length; i++) row[i]! /= sum;
}

export function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}
