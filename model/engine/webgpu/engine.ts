import { ModelError } from "../../contract/config.ts";
import type { TrainerOptions } from "../../contract/trainer.ts";
import { deltaOp, logitsSchedule } from "../schedule.ts";
import type { Gpu } from "./adapter.ts";
import { type Cut, cutFor, type Fit, fitTo } from "./fit.ts";
import type { DeviceOp } from "./kernels/device-op.ts";
import type { Kernel } from "./kernels/kernel.ts";
import { collectLoss } from "./kernels/loss.ts";
import type { Tiles } from "./kernels/tile.ts";
import { lowerAll, NEEDS } from "./lower.ts";
import { Memory } from "./memory.ts";
import { slowestOf } from "./pace.ts";
import { Pipelines } from "./pipelines.ts";
import { pickSplit, pickTiles, trialsFor } from "./probe.ts";
import { Program } from "./program.ts";
import { likeliest, tuningFor } from "./tuning.ts";

/** Logits are computed for a power of two of tokens from this on, so that generation compiles few programs. */
const MIN_ROWS = 16;

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
  readonly programs: Programs;
  readonly #link: (ops: readonly DeviceOp[]) => Promise<Program>;
  readonly #options: TrainerOptions;
  readonly #cut: Cut;
  readonly #logits = new Map<number, Promise<Program>>();

  /**
   * Without `remembered` tiles the probe chooses them. Rejects with `device-limit` (naming the limit, or for
   * want of memory) or `device-wrong`.
   */
  static async open(gpu: Gpu, options: TrainerOptions, remembered?: Tiles): Promise<Engine> {
    const { device } = gpu;
    const cut = await cutFor(options, device.limits);
    const fit = fitTo(options, device.limits, cut);
    const memory = await reserve(device, fit);
    try {
      const pipelines = new Pipelines(device, memory.layout);
      const tiles = remembered ?? (await probe(gpu, fit, memory, pipelines));
      const tuning = tuningFor(gpu, tiles);
      const link = (ops: readonly DeviceOp[], ...after: Kernel[]) => {
        const kernels = lowerAll(ops, tuning, fit.tables);
        return Program.link(device, memory, pipelines, [...kernels, ...after], slowestOf(gpu));
      };
      const { training, evaluation } = fit;
      const accumulates = training.batch < options.batch;
      const [first, more, update, evaluate, delta] = await Promise.all([
        link(training.first, collectLoss(training.losses)),
        accumulates ? link(training.more, collectLoss(training.losses)) : null,
        link(training.update),
        link(evaluation.ops, collectLoss(evaluation.losses)),
        link(cut([deltaOp(options.shape)], fit.lengths.vectors)),
      ]);
      return new Engine(options, fit, cut, memory, tiles, link, {
        first,
        more,
        update,
        evaluation: evaluate,
        delta,
      });
    } catch (error) {
      memory.destroy();
      throw error;
    }
  }

  private constructor(
    options: TrainerOptions,
    fit: Fit,
    cut: Cut,
    memory: Memory,
    tiles: Tiles,
    link: (ops: readonly DeviceOp[]) => Promise<Program>,
    programs: Programs,
  ) {
    this.#options = options;
    this.fit = fit;
    this.#cut = cut;
    this.memory = memory;
    this.tiles = tiles;
    this.#link = link;
    this.programs = programs;
  }

  /** The forward for at least `tokens` tokens of one sequence, and where its logits lie, row by row. */
  async logits(tokens: number): Promise<{ program: Program; from: number; stride: number }> {
    const { shape } = this.#options;
    const length = Math.min(shape.context, Math.max(MIN_ROWS, 2 ** Math.ceil(Math.log2(tokens))));
    const { ops, logits, stride } = logitsSchedule(shape, length, NEEDS);
    let program = this.#logits.get(length);
    if (!program) {
      program = this.#link(this.#cut(ops, this.fit.lengths.vectors));
      this.#logits.set(length, program);
    }
    return { program: await program, from: logits.offset, stride };
  }

  destroy(): void {
    this.memory.destroy();
    for (const program of Object.values(this.programs) as (Program | null)[]) program?.destroy();
    for (const program of this.#logits.values()) void program.then((linked) => linked.destroy());
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
async function probe(gpu: Gpu, fit: Fit, memory: Memory, pipelines: Pipelines): Promise<Tiles> {
  const all = [...fit.training.first, ...fit.training.update];
  const others = all.filter(({ op }) => op !== "gemm" && op !== "muon");
  const kernels = lowerAll(others, tuningFor(gpu, likeliest(gpu)), fit.tables);
  const [trials] = await Promise.all([
    trialsFor(gpu, fit, memory, pipelines),
    ...kernels.map((kernel) => pipelines.of(kernel)),
  ]);
  return pickSplit(gpu, fit, memory, pipelines, await pickTiles(gpu, trials));
}
