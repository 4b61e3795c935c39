import { OPTIMIZER } from "../../client/benchmark/workload.ts";
import type { ModelShape } from "../../model/contract/config.ts";
import type { Gemm } from "../../model/engine/ops.ts";
import { fitTo } from "../../model/engine/webgpu/fit.ts";
import { fittedTo } from "../../model/engine/webgpu/kernels/gemm.ts";
import type { Kernel } from "../../model/engine/webgpu/kernels/kernel.ts";
import { collectLoss } from "../../model/engine/webgpu/kernels/loss.ts";
import { lowerAll } from "../../model/engine/webgpu/lower.ts";
import { endOfSubmit, estimate, MAX_SUBMIT_MS, type Rates, SLOWEST } from "../../model/engine/webgpu/pace.ts";
import { split } from "../../model/engine/webgpu/split.ts";
import { likeliest, tuningFor } from "../../model/engine/webgpu/tuning.ts";
import { BATCH } from "./shapes.ts";

/** The kinds of GPU whose kernels differ. */
export interface Hardware {
  readonly software: false;
  readonly subgroups: boolean;
}

/** Nothing is left out for want of memory: kernels are what is looked at. */
const UNLIMITED = { maxStorageBufferBindingSize: 2 ** 40, maxBufferSize: 2 ** 40 };

/** The schedule of a training step. */
export const trainingOf = (shape: ModelShape) =>
  fitTo({ shape, optimizer: OPTIMIZER, batch: BATCH }, UNLIMITED).training;

/** A training step's dispatches before any is split, as a GPU gets them where nothing was measured. */
export function kernelsOf(shape: ModelShape, hardware: Hardware): Kernel[] {
  const { training, tables } = fitTo({ shape, optimizer: OPTIMIZER, batch: BATCH }, UNLIMITED);
  const tuning = tuningFor(hardware, likeliest(hardware));
  const kernels = lowerAll([...training.first, ...training.update], tuning, tables);
  return [...kernels, collectLoss(training.losses)];
}

/**
 * What the products of a step multiply, over what they need: tiles reach over the edges, and what is staged beyond the end
 * of k.
 */
export function paddingOf(shape: ModelShape, hardware: Hardware): number {
  const tiles = likeliest(hardware);
  const products = trainingOf(shape).first.filter((op) => op.op === "gemm");
  const up = (count: number, step: number) => Math.ceil(count / step) * step;
  const sum = (of: (op: Gemm) => number) => products.reduce((total, op) => total + of(op), 0);
  const done = sum((op) => {
    const { m, n, depth, down, across } = fittedTo(op, tiles[op.mode]);
    return up(op.m, m * down) * up(op.n, n * across) * up(op.k, depth);
  });
  return done / sum(({ m, n, k }) => m * n * k);
}

export interface Counts {
  readonly dispatches: number;
  readonly flops: number;
  /** FLOP of the dispatch that has most, before it is split. */
  readonly longestDispatch: number;
  /** Workgroups of the product that has fewest. */
  readonly leastWorkgroups: number;
  /** Part of the FLOP that is in code which reads one value at a time. */
  readonly scalarShare: number;
  /** Submits of a step, and FLOP and estimated milliseconds of the longest, at {@link TWO_TERAFLOPS}. */
  readonly submits: number;
  readonly submitFlops: number;
  readonly submitMs: number;
  /** Estimated milliseconds of the step if it were one submit. */
  readonly wholeMs: number;
}

/** An adapter of 2 TFLOP/s and 50 GB/s, of whose arithmetic the kernels are estimated to reach a tenth. */
export const TWO_TERAFLOPS: Rates = { flops: 0.2e12, bytes: 50e9, dispatch: 0.02 };

const isProduct = ({ name }: Kernel): boolean => name.startsWith("gemm");

export const workgroupsOf = ({ groups: [x, y, z = 1] }: Kernel): number => x * y * z;

export function countsOf(kernels: readonly Kernel[]): Counts {
  const flopsOf = (of: readonly Kernel[]) => of.reduce((sum, { work }) => sum + work.flops, 0);
  const pieces = kernels.flatMap((kernel) => split(kernel, SLOWEST.hardware));
  const costs = pieces.map((piece) => estimate(piece, TWO_TERAFLOPS));
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const submits: { readonly ms: number; readonly flops: number }[] = [];
  for (let from = 0; from < costs.length; ) {
    const end = endOfSubmit(costs, from, MAX_SUBMIT_MS);
    submits.push({ ms: total(costs.slice(from, end)), flops: flopsOf(pieces.slice(from, end)) });
    from = end;
  }
  const flops = flopsOf(kernels);
  return {
    dispatches: pieces.length,
    flops,
    longestDispatch: Math.max(...kernels.map(({ work }) => work.flops)),
    leastWorkgroups: Math.min(...kernels.filter(isProduct).map(workgroupsOf)),
    scalarShare: flopsOf(kernels.filter(({ unit }) => unit === 1)) / flops,
    submits: submits.length,
    submitFlops: Math.max(...submits.map((submit) => submit.flops)),
    submitMs: Math.max(...submits.map(({ ms }) => ms)),
    wholeMs: total(costs),
  };
}
