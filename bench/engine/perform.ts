import { openPeak } from "../../client/benchmark/fma-peak.ts";
import { CONFIGS, type Stepper, tokensOf } from "../../client/benchmark/workload.ts";
import type { Job, Turn } from "./job.ts";

/** Takes a contestant's turn, wherever this is: a process of Node or a page. */
export async function perform(job: Job): Promise<Turn> {
  const stepper = await open(job);
  const measurePeak = job.contestant === "ours" && job.device === "wasm" ? await openPeak() : null;
  const losses: number[] = [];
  const times: number[] = [];
  let peak = 0;
  for (let index = 0; index < job.warmups + job.steps; index++) {
    stepper.stage(tokensOf(CONFIGS[job.config], index));
    const before = performance.now();
    losses.push(await stepper.step());
    times.push(performance.now() - before);
    // Between the steps, so that a machine that slows down slows both.
    if (measurePeak) peak = Math.max(peak, measurePeak());
  }
  const { detail, dispatches } = stepper;
  return { detail, losses, times, dispatches, peak: measurePeak && peak };
}

/** A contestant loads only its own code. */
async function open(job: Job): Promise<Stepper> {
  switch (job.contestant) {
    case "ours":
      return (await import("./ours.ts")).openOurs(job);
    case "jax-js":
      return (await import("./jax.ts")).openJax(job);
    case "tfjs":
      return (await import("../../client/benchmark/stock.ts")).openStock(CONFIGS[job.config], job.device);
  }
}
