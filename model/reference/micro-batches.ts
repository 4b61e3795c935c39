import * as tf from "@tensorflow/tfjs-core";
import type { ModelShape } from "../contract/config.ts";
import { layoutOf } from "../contract/layout.ts";
import type { TrainerOptions } from "../contract/trainer.ts";
import { flatten, lossOf, unflatten } from "./gpt2.ts";

/** A batch is worked on in micro-batches of at most `micro` sequences. Everything here is called within a tidy. */
type Options = Pick<TrainerOptions, "shape" | "micro">;

/** Mean loss of [batch, context + 1] tokens, and its gradient, [P]. */
export function lossAndGradient(options: Options, weights: tf.Tensor1D, tokens: Uint16Array, batch: number) {
  const parameters = unflatten(layoutOf(options.shape), weights);
  const all = partsOf(options, tokens, batch).map(({ part, size }) => {
    const { value, grads } = tf.valueAndGrads((...given) => lossOfPart(options.shape, given, part, size))(
      parameters,
    );
    return {
      loss: tf.mul<tf.Scalar>(value as tf.Scalar, size / batch),
      gradient: tf.mul<tf.Tensor1D>(flatten(grads), size / batch),
    };
  });
  return {
    loss: tf.addN(all.map(({ loss }) => loss)),
    gradient: tf.addN(all.map(({ gradient }) => gradient)),
  };
}

/** Mean loss of [batch, context + 1] tokens. */
export function meanLoss(
  options: Options,
  weights: tf.Tensor1D,
  tokens: Uint16Array,
  batch: number,
): tf.Scalar {
  const parameters = unflatten(layoutOf(options.shape), weights);
  const losses = partsOf(options, tokens, batch).map(({ part, size }) =>
    tf.mul<tf.Scalar>(lossOfPart(options.shape, parameters, part, size), size / batch),
  );
  return tf.addN(losses);
}

/** The batch in micro-batches. */
function partsOf(
  { micro, shape }: Options,
  tokens: Uint16Array,
  batch: number,
): { readonly part: Uint16Array; readonly size: number }[] {
  const most = micro ?? batch;
  const stride = shape.context + 1;
  return Array.from({ length: Math.ceil(batch / most) }, (_, i) => {
    const size = Math.min(most, batch - i * most);
    return { part: tokens.subarray(i * most * stride, (i * most + size) * stride), size };
  });
}

/** Mean loss of [size, context + 1] tokens. */
function lossOfPart(
  shape: ModelShape,
  parameters: readonly tf.Tensor[],
  tokens: Uint16Array,
  size: number,
): tf.Scalar {
  const { context } = shape;
  const inputs = new Int32Array(size * context);
  const targets = new Int32Array(size * context);
  for (let row = 0; row < size; row++) {
    const at = row * (context + 1);
    inputs.set(tokens.subarray(at, at + context), row * context);
    targets.set(tokens.subarray(at + 1, at + 1 + context), row * context);
  }
  const batch = { size, time: context, inputs: tf.tensor1d(inputs, "int32") };
  return lossOf(shape, parameters, batch, tf.tensor1d(targets, "int32"));
}
