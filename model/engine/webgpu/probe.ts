import type { Gemm } from "../ops.ts";
import type { Gpu } from "./adapter.ts";
import type { Fit } from "./fit.ts";
import { fittedTo, gemmUnit } from "./kernels/gemm.ts";
import type { Kernel } from "./kernels/kernel.ts";
import { MODES, type Mode, type Tile, type Tiles } from "./kernels/tile.ts";
import { productsOf } from "./lower.ts";
import type { Memory } from "./memory.ts";
import { type Rates, slowestOf } from "./pace.ts";
import type { Pipelines } from "./pipelines.ts";
import { Program } from "./program.ts";
import { split } from "./split.ts";
import { Submits } from "./submits.ts";
import { candidates, likeliest, waysOf } from "./tuning.ts";

/** Part of the time that a candidate may take to replace the one before it: where both tie, the likelier stays. */
const CLEARLY = 0.9;
/** Measurements are repeated until one takes this long, in ms, or this many passes were in it. */
const LONG_ENOUGH = 20;
const MAX_ROUNDS = 256;
/** Times the latency that a measurement takes at least: what it adds differs from one to the next. */
const LATENCIES = 5;

/** A candidate for the products of these modes, compiled. */
interface Trial {
  readonly modes: readonly Mode[];
  readonly tile: Tile;
  readonly program: Program;
  /** FLOP of a pass of the program. */
  readonly flops: number;
}

/**
 * Compiles the candidates for forward and for backward, whose products share dispatches: for the schedule's largest of a
 * layer, or for pieces of it (split.ts).
 */
export async function trialsFor(
  gpu: Gpu,
  { training }: Fit,
  memory: Memory,
  pipelines: Pipelines,
): Promise<Trial[][]> {
  const products = training.first.filter((op) => op.op === "gemm");
  const list = candidates(gpu);
  const rates = slowestOf(gpu);
  const compiled = (modes: readonly Mode[], ops: readonly Gemm[]) => {
    if (ops.length === 0 || ops.some((op) => gemmUnit(op) === 1)) return []; // one plain tile for all of those, see gemm.ts
    const trials = list[modes[0]!].map(async (tile): Promise<Trial> => {
      const kernels = productsOf(ops, { NN: tile, NT: tile, TN: tile }).flatMap((kernel) =>
        pieceOf(kernel, rates),
      );
      const program = await Program.link(gpu.device, memory, pipelines, kernels, rates);
      return { modes, tile, program, flops: kernels.reduce((sum, { work }) => sum + work.flops, 0) };
    });
    return trials;
  };
  // the head's are left out: where the token table lies in several parts, they are pieces, and have a lead
  const single = products.filter((op, i) => op.mode === "NN" && !products[i - 1]?.beside && !("lead" in op));
  const pairs = products.flatMap((op, i) => (op.beside ? [[op, products[i + 1]!]] : []));
  const ofLayers = pairs.filter(([, two]) => two!.mode === "NT");
  const classes = [
    compiled(["NN"], largest(single.map((op) => [op]))),
    compiled(["NT", "TN"], largest(ofLayers)),
  ];
  return Promise.all(classes.map((trials) => Promise.all(trials)));
}

/** The kernel, or, where that takes too long, a piece of each of its dispatches. */
function pieceOf(kernel: Kernel, rates: Rates): Kernel[] {
  const pieces = split(kernel, rates);
  return pieces.length === 1 ? pieces : (kernel.apart ?? [kernel]).map((one) => split(one, rates)[0]!);
}

/**
 * Times the trials and takes the winners. A few dispatches each: on a GPU milliseconds, on a software
 * adapter about a second in all. The clock is that of onSubmittedWorkDone.
 */
export async function pickTiles(gpu: Gpu, trials: readonly (readonly Trial[])[]): Promise<Tiles> {
  const winners: Record<Mode, Tile> = { ...likeliest(gpu) };
  for (const rivals of trials) {
    let least = Number.POSITIVE_INFINITY;
    for (const { modes, tile, program, flops } of rivals) {
      const took = (await timeOf(gpu, program)) / flops;
      program.destroy();
      if (took < least * CLEARLY) {
        for (const mode of modes) winners[mode] = tile;
        least = took;
      }
    }
  }
  return winners;
}

/**
 * The tiles, each whole where the mode's product of fewest values is clearly faster so than split. That is a question of how
 * much of the GPU a few workgroups leave idle, which no other product answers.
 */
export async function pickSplit(
  gpu: Gpu,
  { training }: Fit,
  memory: Memory,
  pipelines: Pipelines,
  tiles: Tiles,
): Promise<Tiles> {
  const winners = { ...tiles };
  const products = training.first.filter((op) => op.op === "gemm");
  for (const mode of MODES) {
    const { [mode]: tile } = tiles;
    const isSplit = (op: Gemm) => op.mode === mode && gemmUnit(op) === 4 && fittedTo(op, tile) !== tile;
    const [op] = products.filter(isSplit).sort((a, b) => a.m * a.n - b.m * b.n);
    if (!op) continue;
    const times: number[] = [];
    for (const way of waysOf(tile)) {
      const kernels = productsOf([op], { NN: way, NT: way, TN: way });
      const program = await Program.link(gpu.device, memory, pipelines, kernels, slowestOf(gpu));
      times.push(await timeOf(gpu, program));
      program.destroy();
    }
    const [split, whole] = times as [number, number];
    if (whole < split * CLEARLY) winners[mode] = { ...tile, split: false };
  }
  return winners;
}

const work = (ops: readonly Gemm[]): number => ops.reduce((sum, { m, n, k }) => sum + m * n * k, 0);

/** Of lists of products the one with most to do; none where there is none. */
const largest = (lists: readonly (readonly Gemm[])[]): readonly Gemm[] =>
  lists.reduce((a, b) => (work(a) >= work(b) ? a : b), []);

/** Milliseconds a pass of the program: the better of two measurements that are `enough` ms long, in bulk. */
export async function timeOf(gpu: Gpu, program: Program, enough = LONG_ENOUGH): Promise<number> {
  const submits = new Submits(gpu);
  const run = async (count: number) => {
    const begun = performance.now();
    await submits.run(Array<Program>(count).fill(program));
    await submits.done();
    return Math.max(0, performance.now() - begun - gpu.latency);
  };
  const least = Math.max(enough, LATENCIES * gpu.latency);
  await run(1); // warms up
  let count = 1;
  let took = await run(count);
  while (took < least && count < MAX_ROUNDS) {
    count *= 4;
    took = await run(count);
  }
  took = Math.min(took, await run(count)); // others use the machine, too
  return took / count;
}
