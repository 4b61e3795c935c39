import type { TrainerOptions } from "../../contract/trainer.ts";
import { recomputingLeast } from "../fit.ts";
import type { Gemm, Slot } from "../ops.ts";
import type { Gpu } from "./adapter.ts";
import { cutFor, fitTo } from "./fit.ts";
import { gemm } from "./kernels/gemm.ts";
import { nameOf, type Tile, type Tiles } from "./kernels/tile.ts";
import { lowerAll } from "./lower.ts";
import { Memory } from "./memory.ts";
import { slowestOf } from "./pace.ts";
import { Pipelines } from "./pipelines.ts";
import { timeOf } from "./probe.ts";
import { Program } from "./program.ts";
import { candidates, tuningFor } from "./tuning.ts";
import { inOnePart } from "./vectors.ts";

/** Milliseconds of a measurement, at least, so that a submit's own cost does not count. */
const ENOUGH = 100;
/** A processor in disguise would take minutes at a GPU's size. */
const SIDE = { gpu: 2048, software: 256 } as const;

export interface Peak {
  /** The product measured is [side, side]·[side, side]. */
  readonly side: number;
  /** FLOP/s of the fastest tile. */
  readonly best: number;
  /** That tile's name. */
  readonly tile: string;
}

/** The fastest square product that any of the engine's tiles for this adapter makes. Rejects as Pipelines.of. */
export async function squarePeak(gpu: Gpu): Promise<Peak> {
  const side = gpu.software ? SIDE.software : SIDE.gpu;
  const { device } = gpu;
  const square = side * side;
  const memory = new Memory(device, { vectors: inOnePart(square, 1), activations: 2 * square, tokens: 4 });
  try {
    const pipelines = new Pipelines(device, memory.layout);
    let peak: Peak = { side, best: 0, tile: "" };
    for (const tile of candidates(gpu).NN) {
      const kernel = gemm(squareOf(side), all(tile));
      const speed = await speedOf(gpu, memory, pipelines, [kernel], 2 * side ** 3);
      if (speed > peak.best) peak = { side, best: speed, tile: nameOf(tile) };
    }
    return peak;
  } finally {
    memory.destroy();
  }
}

/** FLOP/s of all the products of one training step, one after another, with the tiles that a trainer uses. */
export async function productsSpeed(gpu: Gpu, options: TrainerOptions, tiles: Tiles): Promise<number> {
  const { limits } = gpu.device;
  const cut = await cutFor(options, limits);
  const { training, lengths, tables } = await recomputingLeast((recompute) =>
    fitTo(options, limits, cut, recompute),
  );
  const products = training.first.filter((op) => op.op === "gemm");
  const flops = products.reduce((sum, { m, n, k }) => sum + 2 * m * n * k, 0);
  const memory = new Memory(gpu.device, lengths);
  try {
    const pipelines = new Pipelines(gpu.device, memory.layout);
    const kernels = lowerAll(products, tuningFor(gpu, tiles), tables);
    return await speedOf(gpu, memory, pipelines, kernels, flops);
  } finally {
    memory.destroy();
  }
}

async function speedOf(
  gpu: Gpu,
  memory: Memory,
  pipelines: Pipelines,
  kernels: Parameters<typeof Program.link>[3],
  flops: number,
): Promise<number> {
  const program = await Program.link(gpu.device, memory, pipelines, kernels, slowestOf(gpu));
  const took = await timeOf(gpu, program, ENOUGH);
  program.destroy();
  return flops / (took / 1000);
}

const all = (tile: Tile): Tiles => ({ NN: tile, NT: tile, TN: tile });

/** The operands are zeros: what is multiplied makes no difference to how fast. */
function squareOf(side: number): Gemm {
  const length = side * side;
  const activations = (offset: number): Slot => ({ arena: "activations", offset, length });
  return {
    op: "gemm",
    mode: "NN",
    m: side,
    n: side,
    k: side,
    stride: side,
    a: activations(0),
    b: { arena: "parameters", offset: 0, length },
    out: activations(length),
    bias: null,
    residual: null,
    pre: null,
    biasGradient: null,
    activation: "none",
    accumulate: false,
  };
}
