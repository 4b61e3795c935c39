import { AdamW } from "./adamw.js";
import { layoutOf } from "./layout.js";

/** Momentum, and the root mean square of a step as a part of the rate: rule L4 of docs/PROTOCOL.md. */
const [MOMENTUM, STEP_RMS] = [0.95, 0.2];
/** Of each of the five iterations that make a matrix orthogonal. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const ITERATIONS = 5;

/** Muon for the weights of linear layers, AdamW for the rest, in doubles: rule L4 of docs/PROTOCOL.md. */
export class Muon {
  #settings;
  #adamW;
  #matrices;

  constructor(shape, settings) {
    this.#settings = settings;
    this.#adamW = new AdamW(shape, settings);
    const linear = layoutOf(shape).tensors.filter(({ name, shape: { length } }) => {
      return length === 2 && name.startsWith("h.");
    });
    this.#matrices = linear.flatMap(matricesOf);
  }

  /** One step in place. Returns the gradient's norm before it was clipped. */
  step(weights, gradient, rate) {
    const { weightDecay, clip } = this.#settings;
    const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
    const scale = clip / Math.max(norm, clip);
    const moved = this.#matrices.map(({ places, rows, columns, momentum }) => {
      const direction = new Float64Array(places.length);
      for (const [i, place] of places.entries()) {
        const g = gradient[place] * scale;
        momentum[i] = MOMENTUM * momentum[i] + (1 - MOMENTUM) * g;
        direction[i] = (1 - MOMENTUM) * g + MOMENTUM * momentum[i];
      }
      const turned = orthogonal(direction, rows, columns);
      const size = rate * STEP_RMS * Math.sqrt(Math.max(rows, columns));
      return turned.map((value, i) => weights[places[i]] * (1 - rate * weightDecay) - size * value);
    });
    this.#adamW.step(weights, gradient, rate);
    for (const [m, { places }] of this.#matrices.entries())
      for (const [i, place] of places.entries()) weights[place] = moved[m][i];
    return norm;
  }
}

/** A tensor's matrices: one, or of queries, keys and values side by side three. */
function matricesOf({ name, offset, shape: [rows, width] }) {
  const parts = name.endsWith("attn.c_attn.weight") ? 3 : 1;
  const columns = width / parts;
  return Array.from({ length: parts }, (_, part) => {
    const places = Uint32Array.from({ length: rows * columns }, (_, i) => {
      return offset + Math.floor(i / columns) * width + part * columns + (i % columns);
    });
    return { places, rows, columns, momentum: new Float64Array(places.length) };
  });
}

/** All directions of a matrix made about as long as each other. */
function orthogonal(matrix, rows, columns) {
  const norm = Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0));
  if (norm === 0) return matrix;
  const tall = rows > columns;
  const [n, m] = tall ? [columns, rows] : [rows, columns];
  let x = (tall ? transposed(matrix, rows, columns) : matrix).map((value) => value / norm);
  for (let i = 0; i < ITERATIONS; i++) {
    const square = product(x, transposed(x, n, m), n, m, n);
    const fourth = product(square, square, n, n, n);
    const turn = product(
      square.map((value, j) => B * value + C * fourth[j]),
      x,
      ...[n, n, m],
    );
    x = x.map((value, j) => A * value + turn[j]);
  }
  return tall ? transposed(x, n, m) : x;
}

const transposed = (a, rows, columns) =>
  Float64Array.from({ length: a.length }, (_, i) => a[(i % rows) * columns + Math.floor(i / rows)]);

function product(a, b, rows, inner, columns) {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++)
      for (let j = 0; j < columns; j++) out[i * columns + j] += a[i * inner + k] * b[k * columns + j];
  return out;
}
