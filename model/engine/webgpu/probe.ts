import type { Gemm } from "../ops.ts";
import type { Gpu } from "./adapter.ts";
import type { Fit } from "./fit.ts";
import { gemm, gemmUnit } from "./kernels/gemm.ts";
import type { Mode, Tile, Tiles } from "./kernels/tile.ts";
import type { Memory } from "./memory.ts";
import type { Pipelines } from "./pipelines.ts";
import { Program } from "./program.ts";
import { candidates } from "./tuning.ts";

/** A candidate must be faster than the one before it by this much: what is likelier stays where both tie. */
const CLEARLY = 0.9;
/** Measurements are repeated until one takes this long, in ms, or this many dispatches were in it. */
const LONG_ENOUGH = 20;
const MOST = 64;

/**
 * Times each mode's candidate tiles on the schedule's largest product of that mode. A few dispatches each: on a
 * GPU milliseconds, on a software adapter about a second in all. The clock is that of onSubmittedWorkDone.
 */
export async function probeTiles(
  gpu: Gpu,
  { training }: Fit,
  memory: Memory,
  pipelines: Pipelines,
): Promise<Tiles> {
  const products = training.first.filter((op) => op.op === "gemm");
  const list = candidates(gpu);
  const best = async (mode: Mode): Promise<Tile> => {
    const [likeliest, ...others] = list[mode];
    const op = largest(products.filter((product) => product.mode === mode));
    if (!likeliest || !op || gemmUnit(op) === 1) return likeliest!;
    let winner = likeliest;
    let least = await time(gpu.device, memory, pipelines, op, likeliest);
    for (const tile of others) {
      const took = await time(gpu.device, memory, pipelines, op, tile);
      if (took < least * CLEARLY) [winner, least] = [tile, took];
    }
    return winner;
  };
  return { NN: await best("NN"), NT: await best("NT"), TN: await best("TN") };
}

const work = ({ m, n, k }: Gemm): number => m * n * k;

function largest(products: readonly Gemm[]): Gemm | undefined {
  return products.reduce<Gemm | undefined>((a, b) => (a && work(a) >= work(b) ? a : b), undefined);
}

/** Milliseconds a dispatch. */
async function time(
  device: GPUDevice,
  memory: Memory,
  pipelines: Pipelines,
  op: Gemm,
  tile: Tile,
): Promise<number> {
  const kernel = gemm(op, { NN: tile, NT: tile, TN: tile });
  const program = await Program.link(device, memory, pipelines, [kernel]);
  const run = async (count: number) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < count; i++) program.encode(pass);
    pass.end();
    const begun = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - begun;
  };
  await run(1); // warms up
  let count = 1;
  let took = await run(count);
  while (took < LONG_ENOUGH && count < MOST) {
    count *= 4;
    took = await run(count);
  }
  program.destroy();
  return took / count;
}
