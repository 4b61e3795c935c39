import { ModelError } from "../../config.ts";
import type { TrainerOptions } from "../../trainer.ts";
import type { Op } from "../ops.ts";
import { deltaOp, logitsSchedule } from "../schedule.ts";
import type { Gpu } from "./adapter.ts";
import { type Fit, fitTo } from "./fit.ts";
import { collectLoss } from "./kernels/loss.ts";
import type { Tiles } from "./kernels/tile.ts";
import { decayBits } from "./kernels/update.ts";
import { lower, NEEDS } from "./lower.ts";
import { Memory } from "./memory.ts";
import { Pipelines } from "./pipelines.ts";
import { probeTiles } from "./probe.ts";
import { Program } from "./program.ts";
import { tuningFor } from "./tuning.ts";

/** Logits are computed for a power of two of tokens from this on, so that generation compiles few programs. */
const SHORTEST = 16;

/** The programs of one model on one device, over one memory. */
export class Engine {
  readonly device: GPUDevice;
  readonly fit: Fit;
  readonly memory: Memory;
  /** How products are cut up. */
  readonly tiles: Tiles;
  /** Forward and backward of the step's first micro-batch; of those after it; the update. */
  readonly first: Program;
  readonly more: Program;
  readonly update: Program;
  readonly evaluation: Program;
  readonly delta: Program;
  readonly #options: TrainerOptions;
  readonly #lower: (op: Op) => ReturnType<typeof lower>;
  readonly #pipelines: Pipelines;
  readonly #logits = new Map<number, Promise<Program>>();

  /** Without `tiles` the probe chooses them. Rejects with `device-limit` (naming the limit, or for want of memory) or `device-wrong`. */
  static async open(gpu: Gpu, options: TrainerOptions, remembered?: Tiles): Promise<Engine> {
    const { device } = gpu;
    const plan = fitTo(options, device.limits);
    device.pushErrorScope("validation");
    device.pushErrorScope("out-of-memory");
    const memory = new Memory(device, plan.lengths);
    const [memoryError, error] = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
    try {
      if (memoryError) throw new ModelError("device-limit", `the GPU has no memory: ${memoryError.message}`);
      if (error) throw new ModelError("device-wrong", error.message);
      const adamw = plan.training.update.find((op) => op.op === "adamw");
      if (adamw) device.queue.writeBuffer(memory.arena("tokens"), plan.decays * 4, decayBits(adamw));
      const pipelines = new Pipelines(device, memory.layout);
      const tiles = remembered ?? (await probeTiles(gpu, plan, memory, pipelines));
      const tuning = tuningFor(gpu, tiles);
      const lowered = (op: Op) => lower(op, tuning, plan.decays);
      const { training, evaluation } = plan;
      const link = (ops: readonly Op[], ...after: ReturnType<typeof lower>) =>
        Program.link(device, memory, pipelines, [...ops.flatMap(lowered), ...after]);
      const programs = await Promise.all([
        link(training.first, collectLoss(training.losses)),
        link(training.more, collectLoss(training.losses)),
        link(training.update),
        link(evaluation.ops, collectLoss(evaluation.losses)),
        link([deltaOp(options.shape)]),
      ]);
      return new Engine(device, options, plan, memory, pipelines, tiles, lowered, programs);
    } catch (cause) {
      memory.destroy();
      throw cause;
    }
  }

  private constructor(
    device: GPUDevice,
    options: TrainerOptions,
    plan: Fit,
    memory: Memory,
    pipelines: Pipelines,
    tiles: Tiles,
    lowered: (op: Op) => ReturnType<typeof lower>,
    programs: readonly [Program, Program, Program, Program, Program],
  ) {
    this.device = device;
    this.#options = options;
    this.fit = plan;
    this.memory = memory;
    this.tiles = tiles;
    this.#pipelines = pipelines;
    this.#lower = lowered;
    [this.first, this.more, this.update, this.evaluation, this.delta] = programs;
  }

  /** The forward for at least `tokens` tokens of one sequence, and where its logits lie. */
  async logits(tokens: number): Promise<{ program: Program; from: number }> {
    const { shape } = this.#options;
    const length = Math.min(shape.context, Math.max(SHORTEST, 2 ** Math.ceil(Math.log2(tokens))));
    const { ops, logits } = logitsSchedule(shape, length, NEEDS);
    let program = this.#logits.get(length);
    if (!program) {
      program = Program.link(this.device, this.memory, this.#pipelines, ops.flatMap(this.#lower));
      this.#logits.set(length, program);
    }
    return { program: await program, from: logits.offset };
  }

  destroy(): void {
    this.memory.destroy();
    for (const program of [this.first, this.more, this.update, this.evaluation, this.delta])
      program.destroy();
    for (const program of this.#logits.values()) void program.then((linked) => linked.destroy());
  }
}
