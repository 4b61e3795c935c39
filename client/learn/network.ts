import * as tf from "@tensorflow/tfjs-core";
import { Random } from "../../model/lib/random.ts";
import type { Backend } from "../../model/reference/backend.ts";
import { type Digits, PIXELS, SIDE } from "./digits.ts";
import { DIGIT_KINDS, FILTERS, MAP, POOLED, WINDOW } from "./shape.ts";

/**
 * A convolutional network as small as one can be and still read: eight filters of 5 × 5 slide over a digit,
 * of each two by two of their answers the strongest is kept, and one layer of weights turns what is left into
 * ten probabilities.
 *
 * tfjs' WASM backend has no gradient for its convolution. So the windows of a digit are gathered into rows,
 * sliding becomes one product of matrices, and the derivatives are written out below, as gpt2.ts does: since
 * nobody asks how the loss depends on the pixels, the gathering needs none.
 */
export interface Look {
  /** [8, 24, 24]: each filter's answer at each place, negative ones as 0. */
  readonly maps: Float32Array;
  /** [10]. */
  readonly probabilities: Float32Array;
}

/** All that is learnt. Also the shape of a gradient, and of the momentum. */
export type Parameters = {
  /** [25, 8]: a column for each filter. */
  readonly filters: tf.Tensor2D;
  /** [8]: added to a filter's answer before it is cut at 0. */
  readonly lifts: tf.Tensor1D;
  /** [12 × 12 × 8, 10]. */
  readonly weights: tf.Tensor2D;
  /** [10]. */
  readonly biases: tf.Tensor1D;
};

const TAPS = WINDOW ** 2;
const RATE = 0.04;
const MOMENTUM = 0.9;

export class Network {
  readonly #backend: Backend;
  /** Pixel numbers of every window, the four windows that are pooled side by side. */
  readonly #pooledWindows: tf.Tensor1D;
  /** The same in reading order, [24 × 24, 25]. */
  readonly #windows: tf.Tensor1D;
  #parameters: Parameters;
  #momentum: Parameters;

  /** The same seed gives the same network. `backend` must be open, and is the caller's to release. */
  constructor(backend: Backend, seed: number) {
    this.#backend = backend;
    const random = new Random(seed);
    const made = backend.run(() => ({
      pooledWindows: tf.tensor1d(pooledWindows(), "int32"),
      windows: tf.tensor1d(windowsInOrder(), "int32"),
      parameters: firstParameters(random),
      momentum: zeroParameters(),
    }));
    this.#pooledWindows = made.pooledWindows;
    this.#windows = made.windows;
    this.#parameters = made.parameters;
    this.#momentum = made.momentum;
  }

  /** Sample, predict, adjust: one step on these digits. Resolves with their loss before it, in nats. */
  async step(digits: Digits): Promise<number> {
    const before = [this.#parameters, this.#momentum];
    const { loss, parameters, momentum } = this.#backend.run(() =>
      tf.tidy(() => {
        const { loss, gradient } = lossAndGradient(this.#parameters, this.#pooledRows(digits), digits.labels);
        const momentum = each((name) => tf.add(tf.mul(this.#momentum[name], MOMENTUM), gradient[name]));
        const parameters = each((name) => tf.sub(this.#parameters[name], tf.mul(momentum[name], RATE)));
        return { loss, parameters, momentum };
      }),
    );
    for (const { filters, lifts, weights, biases } of before) tf.dispose([filters, lifts, weights, biases]);
    this.#parameters = parameters;
    this.#momentum = momentum;
    return (await read(loss))[0]!;
  }

  /** Its probabilities for each of these digits, [count, 10]. */
  guess(digits: Digits): Promise<Float32Array> {
    return this.#ask(() => predict(this.#parameters, this.#pooledRows(digits)).probabilities);
  }

  /** The network's activations for the first of these digits, stage by stage. */
  async look(digits: Digits): Promise<Look> {
    const { filters, lifts } = this.#parameters;
    const maps = await this.#ask(() => {
      const rows = tf.reshape<tf.Rank.R2>(this.#gather(digits, this.#windows), [-1, TAPS]);
      return tf.transpose(tf.relu(tf.add(tf.matMul(rows, filters), lifts)));
    });
    return { maps, probabilities: await this.guess(digits) };
  }

  /** The filters, [8, 5, 5]. */
  filters(): Promise<Float32Array> {
    return this.#ask(() => tf.transpose(this.#parameters.filters));
  }

  dispose(): void {
    const kept = [this.#pooledWindows, this.#windows];
    this.#backend.run(() =>
      tf.dispose([...kept, ...Object.values(this.#parameters), ...Object.values(this.#momentum)]),
    );
  }

  #ask(work: () => tf.Tensor): Promise<Float32Array> {
    return read(this.#backend.run(() => tf.tidy(work)));
  }

  /** [count × 144 × 4, 25]: the pixels under the filters at every place, four that are pooled together. */
  #pooledRows(digits: Digits): tf.Tensor2D {
    return tf.reshape<tf.Rank.R2>(this.#gather(digits, this.#pooledWindows), [-1, TAPS]);
  }

  #gather(digits: Digits, windows: tf.Tensor1D): tf.Tensor {
    return tf.gather(tf.tensor2d(digits.pixels, [digits.count, PIXELS]), windows, 1);
  }
}

/** Slides, keeps the strongest, and weighs: `rows` as {@link Network} gathers them. */
function predict({ filters, lifts, weights, biases }: Parameters, rows: tf.Tensor2D) {
  /** [places, 4, 8] */
  const answers = tf.reshape<tf.Rank.R3>(tf.matMul(rows, filters), [-1, 4, FILTERS]);
  /** [places, 8]; lifting and cutting after the choice is the same as before it, at a quarter of the cost. */
  const strongest = tf.max(answers, 1);
  const kept = tf.relu(tf.add(strongest, lifts));
  /** [count, 12 × 12 × 8] */
  const flat = tf.reshape<tf.Rank.R2>(kept, [-1, POOLED ** 2 * FILTERS]);
  const probabilities = tf.softmax(tf.add<tf.Tensor2D>(tf.matMul(flat, weights), biases));
  return { answers, strongest, kept, flat, probabilities };
}

/** Mean cross-entropy of the digits in nats, and how it changes with each parameter. */
export function lossAndGradient(
  parameters: Parameters,
  rows: tf.Tensor2D,
  labels: Uint8Array,
): { readonly loss: tf.Tensor; readonly gradient: Parameters } {
  const { answers, strongest, kept, flat, probabilities } = predict(parameters, rows);
  const truth = tf.oneHot(tf.tensor1d(labels, "int32"), DIGIT_KINDS);
  const ofTruth = tf.sum(tf.mul(probabilities, truth), 1);
  const loss = tf.neg(tf.mean(tf.log(tf.add(ofTruth, 1e-9)))); // a probability may round to 0
  // Backwards through the same stages: by the scores, by what was kept, by the filters' answers.
  const byScores = tf.div<tf.Tensor2D>(tf.sub(probabilities, truth), labels.length);
  const byFlat = tf.matMul(byScores, parameters.weights, false, true);
  const cut = tf.cast(tf.greater(kept, 0), "float32");
  const byKept = tf.mul<tf.Tensor2D>(tf.reshape(byFlat, [-1, FILTERS]), cut);
  const chosen = tf.cast(tf.equal(answers, tf.expandDims(strongest, 1)), "float32");
  const byAnswers = tf.reshape<tf.Rank.R2>(tf.mul(chosen, tf.expandDims(byKept, 1)), [-1, FILTERS]);
  return {
    loss,
    gradient: {
      filters: tf.matMul(rows, byAnswers, true, false),
      lifts: tf.sum<tf.Tensor1D>(byKept, 0),
      weights: tf.matMul(flat, byScores, true, false),
      biases: tf.sum<tf.Tensor1D>(byScores, 0),
    },
  };
}

const each = (make: (name: keyof Parameters) => tf.Tensor): Parameters => ({
  filters: make("filters") as tf.Tensor2D, // arithmetic with a tensor of the same shape keeps the shape
  lifts: make("lifts") as tf.Tensor1D,
  weights: make("weights") as tf.Tensor2D,
  biases: make("biases") as tf.Tensor1D,
});

async function read(tensor: tf.Tensor): Promise<Float32Array> {
  const values = Float32Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

function firstParameters(random: Random): Parameters {
  const inputs = POOLED ** 2 * FILTERS;
  return {
    filters: tf.tensor2d(around(random, TAPS * FILTERS, 0.12), [TAPS, FILTERS]),
    lifts: tf.zeros<tf.Rank.R1>([FILTERS]),
    weights: tf.tensor2d(around(random, inputs * DIGIT_KINDS, 0.03), [inputs, DIGIT_KINDS]),
    biases: tf.zeros<tf.Rank.R1>([DIGIT_KINDS]),
  };
}

const zeroParameters = (): Parameters => ({
  filters: tf.zeros<tf.Rank.R2>([TAPS, FILTERS]),
  lifts: tf.zeros<tf.Rank.R1>([FILTERS]),
  weights: tf.zeros<tf.Rank.R2>([POOLED ** 2 * FILTERS, DIGIT_KINDS]),
  biases: tf.zeros<tf.Rank.R1>([DIGIT_KINDS]),
});

function pooledWindows(): Int32Array {
  const corners = Array.from({ length: POOLED ** 2 }, (_, at) => [
    2 * Math.floor(at / POOLED),
    2 * (at % POOLED),
  ]);
  const found = corners.flatMap(([row, column]) =>
    [0, 1, 2, 3].flatMap((of) => pixelsUnder(row! + (of >> 1), column! + (of & 1))),
  );
  return Int32Array.from(found);
}

const windowsInOrder = (): Int32Array =>
  Int32Array.from(
    Array.from({ length: MAP ** 2 }, (_, at) => pixelsUnder(Math.floor(at / MAP), at % MAP)).flat(),
  );

/** The pixels under a filter whose upper left corner lies here, in reading order. */
function pixelsUnder(row: number, column: number): readonly number[] {
  return Array.from(
    { length: TAPS },
    (_, tap) => (row + Math.floor(tap / WINDOW)) * SIDE + column + (tap % WINDOW),
  );
}

/** Uniform numbers from −`reach` to `reach`. */
const around = (random: Random, count: number, reach: number): Float32Array =>
  Float32Array.from({ length: count }, () => (2 * random.unit() - 1) * reach);
