import { layoutOf } from "../../contract/layout.ts";
import type { TrainerOptions } from "../../contract/trainer.ts";
import { byBlock, type Recompute } from "../recompute.ts";
import type { DeviceTraining, Fit } from "./fit.ts";
import type { Inputs } from "./inputs.ts";
import { convert } from "./kernels/halves.ts";
import type { LateKernels } from "./lower.ts";
import type { Memory } from "./memory.ts";
import type { Program } from "./program.ts";
import type { Readback } from "./readback.ts";
import type { Submits } from "./submits.ts";

/** ‖difference‖ ÷ ‖gradient‖ of a tensor, at most. A conversion rounds by 2⁻¹²; one that swaps two values is off by 1. */
const MAX_DISTANCE = 0.02;
/** The same of a loss, which no conversion comes before. */
const MAX_LOSS_ERROR = 1e-3;

/** The programs of a step that go forward and back. */
interface Passes {
  readonly first: Program;
  readonly more: Program | null;
}

/** A plan, and what it takes beside where activations are in f16. */
export interface Plan {
  readonly fit: Fit;
  readonly convert?: LateKernels["convert"];
  readonly open?: (
    options: TrainerOptions,
    memory: Memory,
    halves: Passes,
    link: (whole: DeviceTraining) => Promise<[Program, Program | null]>,
  ) => Promise<HalfPrecision>;
}

/**
 * What is `planned`, and, where activations are in f16, what is planned of blocks, in memory that has room for either. Throws `device-limit`
 * where there is no room.
 */
export function heldTo(planned: (recompute: Recompute) => Plan, recompute: Recompute): Plan {
  const plan = planned(recompute);
  const { fit } = plan;
  if (fit.training.first.every(({ op }) => op !== "pack")) return plan;
  const { training, lengths } = planned(byBlock).fit;
  const activations = Math.max(fit.lengths.activations, lengths.activations);
  return {
    fit: { ...fit, lengths: { ...fit.lengths, activations } },
    convert,
    open: async (options, memory, halves, link) => {
      const [first, more] = await link(training);
      return new HalfPrecision(options, fit, memory, halves, { first, more });
    },
  };
}

interface Found {
  readonly loss: number;
  /** Of each tensor of the first block, which the gradients of all other blocks lead to. */
  readonly gradients: readonly Float32Array[];
}

/**
 * Holds a model that trains with activations in f16 to the same model without, at its own size, on its own weights and in the same
 * memory. Where the two differ, it trains without from then on.
 */
export class HalfPrecision {
  readonly #options: TrainerOptions;
  readonly #training: DeviceTraining;
  readonly #memory: Memory;
  readonly #halves: Passes;
  readonly #whole: Passes;
  #loads = 0;
  #agrees = true;

  constructor(options: TrainerOptions, { training }: Fit, memory: Memory, halves: Passes, whole: Passes) {
    this.#options = options;
    this.#training = training;
    this.#memory = memory;
    this.#halves = halves;
    this.#whole = whole;
  }

  /**
   * Sets what `on` trains with, when weights were loaded for the first, second, fourth, eighth … time: weights change, and the longer
   * the less. `ring` is a place for a loss.
   */
  async check<Programs extends Passes>(
    on: { programs: Programs },
    inputs: Inputs,
    submits: Submits,
    readback: Readback,
    ring: number,
  ): Promise<void> {
    const loads = ++this.#loads;
    if (!this.#agrees || (loads & (loads - 1)) !== 0) return;
    const { context, vocabulary } = this.#options.shape;
    const tokens = Uint16Array.from({ length: context + 1 }, (_, i) => (i * 31 + loads) % vocabulary);
    const found = async ({ first }: Passes) => {
      inputs.write({ tokens, batch: 1, from: 0, ring }, this.#training);
      await submits.run([first]);
      return this.#read(readback, ring);
    };
    this.#agrees = areAlike(await found(this.#halves), await found(this.#whole));
    if (!this.#agrees) on.programs = { ...on.programs, ...this.#whole };
  }

  async #read(readback: Readback, ring: number): Promise<Found> {
    const [loss] = await readback.read([{ buffer: this.#memory.arena("ring"), from: ring, length: 1 }]);
    const gradients: Float32Array[] = [];
    for (const { name, offset, length } of layoutOf(this.#options.shape).tensors) {
      if (!name.startsWith("h.0.")) continue;
      const part = this.#memory.vector("gradients").findLast(({ from }) => from <= offset)!;
      const [values] = await readback.read([{ buffer: part.buffer, from: offset - part.from, length }]);
      gradients.push(values!);
    }
    return { loss: loss![0]!, gradients };
  }

  destroy(): void {
    for (const { first, more } of [this.#halves, this.#whole]) {
      first.destroy();
      more?.destroy();
    }
  }
}

/** Whether both are finite and as close as rounding to f16 explains. */
export function areAlike(halves: Found, whole: Found): boolean {
  if (!(Math.abs(halves.loss / whole.loss - 1) <= MAX_LOSS_ERROR)) return false;
  return whole.gradients.every((exact, i) => distance(halves.gradients[i]!, exact) <= MAX_DISTANCE);
}

/** ‖a − b‖ ÷ ‖b‖ */
function distance(a: Float32Array, b: Float32Array): number {
  let [apart, size] = [0, 0];
  for (const [i, value] of b.entries()) {
    apart += (a[i]! - value) ** 2;
    size += value ** 2;
  }
  return size === 0 && apart === 0 ? 0 : Math.sqrt(apart / size);
}
