import type { ModelShape } from "../contract/config.ts";
import { layoutOf } from "../contract/layout.ts";

/** Where tokens lie in the picture of all tokens: the two directions in which the embeddings differ most. */
export interface TokenMap {
  /** x and y of token 0, of token 1, …; the farthest coordinate is 1 or −1. */
  readonly points: Float32Array;
  /** The part of all differences that the two directions show, 0 to 1. */
  readonly shown: number;
}

/** Tokens that the directions are found from: more would take long and turn them little. */
const MAX_TOKENS = 2_048;
/** Rounds of power iteration: the picture needs the directions to a degree or so. */
const ROUNDS = 40;

/** The token embeddings [V, C] of flat weights, a view. */
export function tokenEmbeddings(shape: ModelShape, weights: Float32Array): Float32Array {
  const { offset, length } = layoutOf(shape).tensors[0]!; // wte comes first
  return weights.subarray(offset, offset + length);
}

/**
 * The first two principal components of the token embeddings [V, C], by power iteration from a fixed start,
 * so that two looks at like weights give like pictures. Of at most {@link MAX_TOKENS} tokens.
 */
export function tokenMap(embeddings: Float32Array, width: number): TokenMap {
  const rows = Math.min(embeddings.length / width, MAX_TOKENS);
  const centred = centre(embeddings.subarray(0, rows * width), width);
  const total = dot(centred, centred) || 1;
  const points = new Float32Array(rows * 2);
  let shown = 0;
  const found: Float64Array[] = [];
  for (let axis = 0; axis < 2; axis++) {
    const direction = principal(centred, width, found);
    found.push(direction);
    const along = product(centred, direction);
    shown += dot(along, along) / total;
    for (let row = 0; row < rows; row++) points[row * 2 + axis] = along[row]!;
  }
  const farthest = points.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  return { points: points.map((value) => value / farthest), shown: Math.min(1, shown) };
}

/** The `count` tokens whose embeddings point most nearly the same way (cosine), nearest first. */
export function nearestTokens(
  embeddings: Float32Array,
  width: number,
  token: number,
  count: number,
): readonly number[] {
  const row = (id: number) => embeddings.subarray(id * width, (id + 1) * width);
  const mine = row(token);
  const likeness = Array.from({ length: embeddings.length / width }, (_, id) => {
    const other = row(id);
    return { id, cosine: dot(mine, other) / (Math.sqrt(dot(other, other)) || 1) };
  });
  return likeness
    .filter(({ id }) => id !== token)
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, count)
    .map(({ id }) => id);
}

/** Rows less their mean. */
function centre(rows: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  const count = rows.length / width;
  for (let i = 0; i < rows.length; i++) mean[i % width]! += rows[i]! / count;
  return Float64Array.from(rows, (value, i) => value - mean[i % width]!);
}

/** The unit vector along which the rows spread most, at right angles to those in `before`. */
function principal(rows: Float64Array, width: number, before: readonly Float64Array[]): Float64Array {
  let direction = Float64Array.from({ length: width }, (_, c) => Math.cos(c * (before.length + 1)));
  for (let round = 0; round < ROUNDS; round++) {
    const along = product(rows, direction);
    const next = new Float64Array(width);
    for (let row = 0, at = 0; row < along.length; row++) {
      for (let c = 0; c < width; c++, at++) next[c]! += along[row]! * rows[at]!;
    }
    for (const other of before) {
      const share = dot(next, other);
      for (let c = 0; c < width; c++) next[c]! -= share * other[c]!;
    }
    const length = Math.sqrt(dot(next, next));
    if (length === 0) return new Float64Array(width); // all rows are the same: there is no direction
    direction = next.map((value) => value / length);
  }
  return direction;
}

/** Every row's product with a direction. */
function product(rows: Float64Array, direction: Float64Array): Float64Array {
  const width = direction.length;
  return Float64Array.from({ length: rows.length / width }, (_, row) =>
    dot(rows.subarray(row * width, (row + 1) * width), direction),
  );
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
