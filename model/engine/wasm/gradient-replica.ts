import type { ModelShape, Optimizer } from "../../contract/config.ts";
import { layoutOf } from "../../contract/layout.ts";
import type { DeviceNeeds } from "../device-needs.ts";
import { fitBatch } from "../fit.ts";
import type { TokenSlots } from "../network.ts";
import type { Arena } from "../ops.ts";
import type { Arenas } from "../plan.ts";
import type { Recompute } from "../recompute.ts";
import { trainingSchedule } from "../schedule.ts";
import { writeBatch } from "../tokens.ts";
import { ADDRESSABLE, mapMemory, needsOf, type Vectors, WasmDevice } from "./device.ts";
import type { Kernels } from "./kernels.ts";

/** Options of what computes gradients. */
export interface GradientOptions {
  readonly shape: ModelShape;
  readonly optimizer: Optimizer;
  /** The most sequences a call brings. */
  readonly batch: number;
  /** The most of them at once; absent, as many as fit. */
  readonly micro?: number;
  /** Bytes of linear memory to stay within: more sequences than fit accumulate their gradients. */
  readonly memoryLimit: number;
}

/** A schedule ready to run on one micro-batch. */
export interface Pass {
  readonly slots: TokenSlots;
  /** Nats a row. */
  readonly losses: Float32Array<ArrayBuffer>;
  readonly first: () => void;
  readonly more: () => void;
}

/**
 * Weights and their gradient in one linear memory: all that a further thread has. `tokens` are as in Trainer.step, already
 * checked. Each schedule is compiled once a batch size; from then on nothing is allocated.
 */
export class GradientReplica {
  /** Bytes of linear memory, known before the first step. */
  readonly bytes: number;
  /** The flat vectors themselves, not copies. */
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly gradients: Float32Array<ArrayBuffer>;
  /** Sequences of the largest micro-batch. */
  readonly micro: number;
  /** For further schedules on this memory (scorer.ts): where they run, what that needs, the tokens' arena, and all lengths. */
  readonly device: WasmDevice;
  readonly needs: DeviceNeeds;
  readonly tokens: Uint32Array;
  readonly arenas: Arenas;
  protected readonly options: GradientOptions;
  readonly #recompute: Recompute | undefined;
  readonly #training = new Map<number, Pass>();

  /** `more` is memory for what the optimiser moves. Throws `device-limit`. */
  constructor(
    kernels: Kernels,
    options: GradientOptions,
    more: Omit<Vectors, "parameters"> = { optimizing: 0, squares: 0 },
    recompute?: Recompute,
  ) {
    const { shape, batch, micro = batch, optimizer, memoryLimit } = options;
    const { length } = layoutOf(shape);
    const map = (arenas: Arenas) => mapMemory(kernels.heapBase(), { parameters: length, ...more }, arenas);
    const limit = Math.min(memoryLimit, ADDRESSABLE);
    this.needs = needsOf(kernels);
    const most = Math.min(batch, micro);
    const bytesOf = (arenas: Arenas) => map(arenas).end;
    const fit = fitBatch(shape, most, optimizer, this.needs, limit, bytesOf, recompute);
    this.bytes = bytesOf(fit.arenas);
    this.options = options;
    this.#recompute = recompute;
    this.micro = fit.batch;
    this.arenas = fit.arenas;
    this.device = new WasmDevice(kernels, map(fit.arenas));
    this.parameters = this.floats("parameters", length);
    this.gradients = this.floats("gradients", length);
    this.tokens = this.device.tokens(fit.arenas.tokens);
  }

  /**
   * Fills {@link GradientReplica.gradients} with `batch` sequences' part of the gradient of a mean loss over `rows` rows.
   * Returns their summed loss in nats.
   */
  backward(tokens: Uint16Array, batch: number, rows: number): number {
    this.device.dynamics = { ...this.device.dynamics, lossScale: 1 / rows };
    return this.pass(tokens, batch, true, this.#training, (size) => this.#compile(size));
  }

  /** Runs passes over all sequences, compiling those that are not `known`. Returns the summed loss. */
  protected pass(
    tokens: Uint16Array,
    batch: number,
    training: boolean,
    known: Map<number, Pass>,
    compile: (batch: number) => Pass,
  ): number {
    let loss = 0;
    for (let done = 0; done < batch; done += this.micro) {
      const size = Math.min(this.micro, batch - done);
      const pass = known.get(size) ?? compile(size);
      known.set(size, pass);
      writeBatch(this.tokens, pass.slots, tokens, done, this.options.shape.context, training);
      if (done === 0) pass.first();
      else pass.more();
      for (let row = 0; row < pass.losses.length; row++) loss += pass.losses[row]!;
    }
    return loss;
  }

  protected floats(arena: Arena, length: number): Float32Array<ArrayBuffer> {
    return this.device.floats({ arena, offset: 0, length });
  }

  #compile(batch: number): Pass {
    const { shape, optimizer } = this.options;
    const schedule = trainingSchedule(shape, batch, optimizer, this.needs, this.#recompute);
    const [first, more] = [this.device.compile(schedule.first), this.device.compile(schedule.more)];
    return { slots: schedule.tokens, losses: this.device.floats(schedule.losses), first, more };
  }
}
