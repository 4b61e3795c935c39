/** Computes test vectors again: see check-vectors.js. */
export function compare(vectors: unknown): {
  readonly compared: number;
  readonly differences: readonly string[];
};
