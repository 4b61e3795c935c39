import type { Hash } from "../../protocol/ids.ts";

/** The server's vectors at one version, all flat and of one length. θ and momentum may lie in memory that threads share. */
export interface Vectors {
  /** The published weights, equal on every replica to the byte. */
  readonly x: Float32Array<ArrayBuffer>;
  /** The outer steps' weights; x follows them by compressed diffs, so θ − x is the downlink's residual. */
  readonly theta: Float32Array;
  /** The outer step's momentum. */
  readonly momentum: Float32Array;
}

/** A version with all that its successor is made from. */
export interface KnownVectors {
  readonly version: number;
  readonly hash: Hash;
  readonly vectors: Vectors;
}

/** Version 0: nothing learned, nothing left over. */
export function initialVectors(x: Float32Array<ArrayBuffer>): Vectors {
  return { x, theta: sharing(x), momentum: sharedVector(x.length) };
}

/** Zeros in memory that threads can share. */
export const sharedVector = (length: number): Float32Array =>
  new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));

/** The vector in memory that threads share: itself, or a copy. */
export function sharing(values: Float32Array): Float32Array {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const copy = sharedVector(values.length);
  copy.set(values);
  return copy;
}

/** A copy behind this many bytes of a buffer of its own: there a file is made around the values. */
export function behind(lead: number, values: Float32Array): Float32Array<ArrayBuffer> {
  const before = lead % values.BYTES_PER_ELEMENT > 0 ? 0 : lead;
  const copy = new Float32Array(new ArrayBuffer(before + values.byteLength), before);
  copy.set(values);
  return copy;
}
