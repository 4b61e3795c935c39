import type { ModelShape } from "../../model/contract/config.ts";
import { type Stepper, tokensOf } from "./workload.ts";

/** How long a contender is measured, in steps and milliseconds. */
export interface Budget {
  readonly warmups: number;
  /** Never fewer … */
  readonly least: number;
  /** … never more … */
  readonly most: number;
  /** … and between the two until this time is spent. */
  readonly ms: number;
}

export interface Measured {
  /** Median of the counted steps, in milliseconds. */
  readonly median: number;
  readonly steps: number;
  readonly losses: readonly number[];
}

/** Steps through the workload, each step on tokens of its own, and tells after each. */
export async function measure(
  stepper: Stepper,
  shape: ModelShape,
  { warmups, least, most, ms }: Budget,
  clock: () => number,
  stepped: (step: number) => void,
): Promise<Measured> {
  const losses: number[] = [];
  const times: number[] = [];
  let spent = 0;
  for (let index = 0; index < warmups + most; index++) {
    if (times.length >= least && spent >= ms) break;
    stepper.stage(tokensOf(shape, index));
    const before = clock();
    losses.push(await stepper.step());
    const took = clock() - before;
    if (index >= warmups) {
      times.push(took);
      spent += took;
    }
    stepped(index + 1);
  }
  return { median: medianOf(times), steps: times.length, losses };
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
