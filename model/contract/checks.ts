import { ModelError, type ModelShape } from "./config.ts";
import type { Layout } from "./layout.ts";
import type { Carried } from "./trainer.ts";

/** Checks that every trainer makes before a byte reaches its device. */

/** Throws `bad-shape` unless `tokens` is [batch, context + 1] with 1 ≤ batch ≤ `most`, and `bad-token`. */
export function checkBatch(shape: ModelShape, tokens: Uint16Array, batch: number, most: number): void {
  if (!Number.isInteger(batch) || batch < 1 || batch > most)
    throw new ModelError("bad-shape", `a batch of ${batch} where 1 to ${most} fit`);
  if (tokens.length !== batch * (shape.context + 1))
    throw new ModelError("bad-shape", `${tokens.length} tokens are not ${batch} × ${shape.context + 1}`);
  checkTokens(shape, tokens);
}

/** Throws `bad-shape` unless `tokens` is a sequence of 1 to `context` tokens, and `bad-token`. */
export function checkSequence(shape: ModelShape, tokens: Uint16Array): void {
  if (tokens.length < 1 || tokens.length > shape.context)
    throw new ModelError(
      "bad-shape",
      `a sequence of ${tokens.length} tokens where 1 to ${shape.context} fit`,
    );
  checkTokens(shape, tokens);
}

/** Throws `bad-weights` on a wrong length, a value that is not finite, or a step count below 0. */
export function checkWeights(layout: Layout, weights: Float32Array, carried: Partial<Carried> = {}): void {
  checkVector(layout, weights, "weights");
  const { m, v, step = 0, residual } = carried;
  if (m) checkVector(layout, m, "first moments");
  if (v) checkVector(layout, v, "second moments");
  if (residual) checkVector(layout, residual, "residuals");
  if (!Number.isInteger(step) || step < 0) throw new ModelError("bad-weights", `moments of ${step} steps`);
}

/** Throws `bad-token`. */
export function checkTokens({ vocabulary }: ModelShape, tokens: Uint16Array): void {
  const at = tokens.findIndex((token) => token >= vocabulary);
  if (at >= 0)
    throw new ModelError("bad-token", `token ${tokens[at]} at ${at} in a vocabulary of ${vocabulary}`);
}

function checkVector(layout: Layout, values: Float32Array, what: string): void {
  if (values.length !== layout.length)
    throw new ModelError("bad-weights", `${values.length} ${what} for a model of ${layout.length}`);
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const tensor = layout.tensors.findLast(({ offset }) => offset <= at);
  throw new ModelError("bad-weights", `${values[at]} among the ${what} of ${tensor?.name}`);
}
