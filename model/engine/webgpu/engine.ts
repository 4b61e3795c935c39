import { ModelError, type ModelShape } from "../../contract/config.ts";
import type { TrainerOptions } from "../../contract/trainer.ts";
import { recomputingLeast } from "../fit.ts";
import type { Op } from "../ops.ts";
import type { Recompute } from "../recompute.ts";
import { deltaOp, logitsSchedule } from "../schedule.ts";
import type { Gpu } from "./adapter.ts";
import { cutFor, type DeviceTraining, type Fit, fitTo } from "./fit.ts";
import type { HalfPrecision, Plan } from "./half-precision.ts";
import type { DeviceOp } from "./kernels/device-op.ts";
import type { Kernel } from "./kernels/kernel.ts";
import { collectLoss } from "./kernels/loss.ts";
import type { Tiles } from "./kernels/tile.ts";
import type { Logits } from "./logits.ts";
import { type LateKernels, lowerAll, NEEDS } from "./lower.ts";
import { Memory } from "./memory.ts";
import { slowestOf } from "./pace.ts";
import { Pipelines } from "./pipelines.ts";
import { pickSplit, pickTiles, trialsFor } from "./probe.ts";
import { Program } from "./program.ts";
import { likeliest, tuningFor } from "./tuning.ts";

interface Programs {
  /** Forward and backward of the step's first micro-batch. */
  readonly first: Program;
  /** Of those after it; null where one micro-batch holds the largest batch. */
  readonly more: Program | null;
  readonly update: Program;
  readonly evaluation: Program;
  readonly delta: Program;
}

/** The programs of one model on one device, over one memory. */
export class Engine {
  readonly fit: Fit;
  readonly memory: Memory;
  /** How products are cut up. */
  readonly tiles: Tiles;
  programs: Programs;
  readonly #link: (ops: readonly Op[]) => Promise<Program>;
  /** Where activations are kept in f16, what replaces the programs when that is not good enough. */
  readonly halves: HalfPrecision | undefined;
  #logits: Logits | undefined;

  /**
   * Without `remembered` tiles the probe chooses them. Rejects with `device-limit` (naming the limit, or for
   * want of memory) or `device-wrong`.
   */
  static async open(gpu: Gpu, options: TrainerOptions, remembered?: Tiles): Promise<Engine> {
    const { device } = gpu;
    const cut = await cutFor(options, device.limits);
    const { memory, ...plan } = await recomputingLeast(async (recompute) => {
      const planned = (by?: Recompute): Plan => ({ fit: fitTo(options, device.limits, cut, by) });
      const plan = recompute ? (await import("./half-precision.ts")).heldTo(planned, recompute) : planned();
      return { ...plan, memory: await reserve(device, plan.fit) };
    }, true);
    const { fit } = plan;
    try {
      const pipelines = new Pipelines(device, memory.layout);
      const isQuads = gpu.software && gpu.subgroups;
      const quads = isQuads ? await import("./kernels/attention-quad.ts") : undefined;
      const late: LateKernels = { convert: plan.convert, quads };
      const tiles = remembered ?? (await probe(gpu, fit, late, memory, pipelines));
      const tuning = tuningFor(gpu, tiles, late);
      const link = (ops: readonly DeviceOp[], ...after: Kernel[]) => {
        const kernels = lowerAll(ops, tuning, fit.tables);
        return Program.link(device, memory, pipelines, [...kernels, ...after], slowestOf(gpu));
      };
      const { training, evaluation } = fit;
      const accumulates = training.batch < options.batch;
      const passesOf = ({ first, more, losses }: DeviceTraining) =>
        Promise.all([link(first, collectLoss(losses)), accumulates ? link(more, collectLoss(losses)) : null]);
      const [[first, more], update, evaluate, delta] = await Promise.all([
        passesOf(training),
        link(training.update),
        link(evaluation.ops, collectLoss(evaluation.losses)),
        link(cut([deltaOp(options.shape)], fit.lengths.vectors)),
      ]);
      const forward = (ops: readonly Op[]) => link(cut(ops, fit.lengths.vectors));
      const programs = { first, more, update, evaluation: evaluate, delta };
      const halves = await plan.open?.(options, memory, programs, passesOf);
      return new Engine(fit, memory, tiles, programs, forward, halves);
    } catch (error) {
      memory.destroy();
      throw error;
    }
  }

  private constructor(
    fit: Fit,
    memory: Memory,
    tiles: Tiles,
    programs: Programs,
    link: (ops: readonly Op[]) => Promise<Program>,
    halves: HalfPrecision | undefined,
  ) {
    this.fit = fit;
    this.memory = memory;
    this.tiles = tiles;
    this.programs = programs;
    this.#link = link;
    this.halves = halves;
  }

  /** What computes logits, whose code comes on first use. */
  async logits(shape: ModelShape): Promise<Logits> {
    const { Logits } = await import("./logits.ts");
    const plan = (length: number) => logitsSchedule(shape, length, NEEDS);
    this.#logits ??= new Logits(shape, plan, this.memory, this.#link);
    return this.#logits;
  }

  destroy(): void {
    this.memory.destroy();
    for (const program of Object.values(this.programs) as (Program | null)[]) program?.destroy();
    this.halves?.destroy();
    this.#logits?.destroy();
  }
}

/** Makes the arenas. Rejects with `device-limit` where the device has no room for them. */
async function reserve(device: GPUDevice, { tables, lengths }: Fit): Promise<Memory> {
  device.pushErrorScope("validation");
  device.pushErrorScope("out-of-memory");
  const memory = new Memory(device, lengths);
  const [full, wrong] = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
  if (full ?? wrong) memory.destroy();
  if (full) throw new ModelError("device-limit", `the GPU has no memory left: ${full.message}`);
  if (wrong) throw new ModelError("device-wrong", wrong.message);
  device.queue.writeBuffer(memory.arena("tokens"), tables.from * 4, tables.words);
  return memory;
}

/** Picks the tiles, and meanwhile compiles what does not depend on them. */
async function probe(
  gpu: Gpu,
  fit: Fit,
  late: LateKernels,
  memory: Memory,
  pipelines: Pipelines,
): Promise<Tiles> {
  const all = [...fit.training.first, ...fit.training.update];
  const others = all.filter(({ op }) => op !== "gemm" && op !== "muon");
  const kernels = lowerAll(others, tuningFor(gpu, likeliest(gpu), late), fit.tables);
  const [trials] = await Promise.all([
    trialsFor(gpu, fit, memory, pipelines),
    ...kernels.map((kernel) => pipelines.of(kernel)),
  ]);
  return pickSplit(gpu, fit, memory, pipelines, await pickTiles(gpu, trials));
}
