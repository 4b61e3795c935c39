import { ModelError } from "../../../model/contract/config.ts";
import { type Layout, layoutOf } from "../../../model/contract/layout.ts";
import type { Trainer, TrainerFactory, TrainerOptions } from "../../../model/contract/trainer.ts";

/** Relative error of the loss, and of the whole gradient's norm. */
const TOLERANCE = 1e-3;
/** Relative error of a part's gradient. */
const PART_TOLERANCE = 2e-2;
/** Of the whole gradient's norm: a part that has less is rounding, and is measured against this. */
const MIN_PART = 1e-6;

/** A part of a gradient: its norm, and its sum under pseudo-random signs, which moves if values swap. */
interface Print {
  readonly name: string;
  readonly norm: number;
  readonly sum: number;
}

/** A step from the initial weights, the first of all, at the run's own shape. */
export interface FirstStep {
  readonly loss: number;
  readonly norm: number;
  readonly parts: readonly Print[];
}

/**
 * Reads the gradient off the first moment, which after one step is the clipped gradient times a constant. Of that vector, which
 * is as long as the model, nothing but prints is kept.
 */
export async function firstStepOf(
  trainer: Trainer,
  { shape }: Pick<TrainerOptions, "shape">,
  loss: number,
): Promise<FirstStep> {
  const parts = printsOf(layoutOf(shape), await trainer.vector("m"));
  return { loss, norm: Math.hypot(...parts.map(({ norm }) => norm)), parts };
}

/**
 * Queries, keys and values lie in one tensor, and are parts of their own: at first the gradient of values is far larger than
 * the others'.
 */
function printsOf({ tensors }: Layout, flat: Float32Array): Print[] {
  return tensors.flatMap(({ name, shape, offset, length }) => {
    const sides = name.includes("c_attn") ? ["queries", "keys", "values"] : [""];
    const row = shape.at(-1)!;
    const columns = row / sides.length;
    return sides.map((side, i) => {
      let [squares, sum] = [0, 0];
      for (let from = offset + i * columns; from < offset + length; from += row)
        for (let at = from; at < from + columns; at++) {
          const value = flat[at]!;
          squares += value * value;
          sum += isNegative(at) ? -value : value;
        }
      return { name: side ? `${name} (${side})` : name, norm: Math.sqrt(squares), sum };
    });
  });
}

const isNegative = (i: number): boolean => Math.imul(i ^ (i >>> 15), 0x2c1b3c6d) < 0;

/** What differs, in words; undefined where both are the same to rounding. Whatever is no number differs. */
export function differenceOf(found: FirstStep, expected: FirstStep): string | undefined {
  const say = (what: string, is: number, should: number) =>
    `at this model's size it computes ${what} ${is.toPrecision(6)}, and WebAssembly ${should.toPrecision(6)}`;
  const differs = (is: number, should: number, most: number, size = should) =>
    !(Math.abs(is - should) <= most * Math.abs(size));
  if (differs(found.loss, expected.loss, TOLERANCE)) return say("a loss of", found.loss, expected.loss);
  if (differs(found.norm, expected.norm, TOLERANCE))
    return say("a gradient of norm", found.norm, expected.norm);
  for (const [i, part] of expected.parts.entries()) {
    const is = found.parts[i]!;
    const size = Math.max(part.norm, MIN_PART * expected.norm);
    for (const what of ["norm", "sum"] as const) {
      // a signed sum of n roundings strays by about their norm
      const most = what === "sum" ? 4 * PART_TOLERANCE : PART_TOLERANCE;
      if (differs(is[what], part[what], most, size))
        return say(`a gradient of ${part.name} whose ${what} is`, is[what], part[what]);
    }
  }
  return undefined;
}

/**
 * Holds GPUs to WebAssembly at the run's own shape. The known gradient is a tiny model's: it fits one workgroup, and a kernel
 * that is wrong beyond that passes. It costs a readback, since the probe takes these steps in any case.
 */
export class FirstSteps {
  readonly #reference: () => Promise<TrainerFactory>;
  /** By what the step was taken with. */
  readonly #expected = new Map<string, FirstStep>();

  constructor(reference: () => Promise<TrainerFactory>) {
    this.#reference = reference;
  }

  /** Keeps WebAssembly's step. Rejects with `device-wrong` where another device's differs. */
  async see(trainer: Trainer, options: TrainerOptions, loss: number): Promise<void> {
    const key = JSON.stringify(options);
    const found = await firstStepOf(trainer, options, loss);
    if (trainer.report.device === "wasm") {
      this.#expected.set(key, found);
      return;
    }
    const expected =
      this.#expected.get(key) ??
      (await import("./lone-step.ts").then(({ loneStep }) =>
        loneStep(this.#reference, options, firstStepOf),
      ));
    if (expected === undefined) return;
    this.#expected.set(key, expected);
    const difference = differenceOf(found, expected);
    if (difference) throw new ModelError("device-wrong", difference);
  }
}
