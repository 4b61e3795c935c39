import type { AdamW, ModelShape } from "../../model/contract/config.ts";
import { initialWeights } from "../../model/contract/init.ts";
import { loadKernels } from "../../model/engine/wasm/kernels.ts";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { Replica } from "../../model/engine/wasm/replica.ts";
import { languageTask } from "../../server/run/language-task.ts";
import type { Settings } from "../../server/run/settings.ts";
import { VOCABULARY } from "./corpus.ts";

/** Momentum of synchronous Muon, and the root mean square of its steps as a part of the rate: AdamW's own. */
const MOMENTUM = 0.95;
const STEP_RMS = 0.2;
const MEMORY_LIMIT = 2 ** 30;

/** One machine that trains on whole batches. */
export interface Machine {
  /** The weights themselves, not a copy. */
  readonly weights: Float32Array<ArrayBuffer>;
  step(tokens: Uint16Array, rate: number): void;
}

/**
 * Synchronous training on the engine's replica: AdamW for everything, or Muon for the matrices (Jordan et al.
 * 2024, its steps scaled to AdamW's size as in 2502.16982) and AdamW for the rest.
 */
export async function machineOf(
  optimizer: "adamw" | "muon",
  settings: Settings,
  rows: number,
): Promise<Machine> {
  const shape: ModelShape = { ...settings.model, vocabulary: VOCABULARY };
  const options = { shape, optimizer: settings.optimizer, batch: rows, memoryLimit: MEMORY_LIMIT };
  const replica = new Replica(await loadKernels(true), options);
  replica.load(initialWeights(shape, settings.seed));
  const { matrices } = languageTask(settings, VOCABULARY);
  const muon =
    optimizer === "muon" ? new Muon(await Orthogonalizer.open(), matrices, settings.optimizer) : undefined;
  let taken = 0;
  return {
    weights: replica.parameters,
    step(tokens, rate) {
      replica.backward(tokens, rows, rows * settings.model.context);
      const moved = muon?.moved(replica.parameters, replica.gradients, rate);
      replica.update(++taken, rate);
      for (const { offset, values } of moved ?? []) replica.parameters.set(values, offset);
    },
  };
}

type Matrix = ReturnType<typeof languageTask>["matrices"][number];

/** Muon's state: the momentum of each matrix. */
class Muon {
  readonly #orthogonal: Orthogonalizer;
  readonly #decay: number;
  readonly #matrices: readonly { readonly at: Matrix; readonly momentum: Float32Array }[];

  constructor(orthogonal: Orthogonalizer, matrices: readonly Matrix[], { weightDecay }: AdamW) {
    this.#orthogonal = orthogonal;
    this.#decay = weightDecay;
    this.#matrices = matrices.map((at) => ({ at, momentum: new Float32Array(at.rows * at.columns) }));
  }

  /** Where each matrix goes: w ← w·(1 − rate·decay) − rate·step. Leaves what it is given as it is. */
  moved(weights: Float32Array, gradients: Float32Array, rate: number) {
    return this.#matrices.map(({ at: { offset, rows, columns }, momentum }) => {
      const { length } = momentum;
      const values = weights.slice(offset, offset + length);
      const step = new Float32Array(length);
      for (let i = 0; i < length; i++) {
        const g = gradients[offset + i]!;
        momentum[i] = MOMENTUM * momentum[i]! + g;
        step[i] = g + MOMENTUM * momentum[i]!;
      }
      this.#orthogonal.apply(step, rows, columns);
      const rms = Math.sqrt(step.reduce((sum, value) => sum + value * value, 0) / length);
      const scale = rms > 0 ? (rate * STEP_RMS) / rms : 0;
      for (let i = 0; i < length; i++) values[i] = values[i]! * (1 - rate * this.#decay) - scale * step[i]!;
      return { offset, values };
    });
  }
}
