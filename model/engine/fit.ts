import { ModelError, type ModelShape, type Optimizer } from "../contract/config.ts";
import type { DeviceNeeds } from "./device-needs.ts";
import type { Arenas } from "./plan.ts";
import { evaluationSchedule, logitsSchedule, trainingSchedule } from "./schedule.ts";

/** A micro-batch and the arenas that serve it, every smaller one, evaluation and logits. */
export interface Fit {
  readonly batch: number;
  readonly arenas: Arenas;
}

/**
 * The largest micro-batch of at most `batch` sequences that `bytesOf` says stays within `limit`: a step on
 * more sequences accumulates gradients over several. Throws `device-limit` naming what would fit when not even
 * one sequence does.
 */
export function fitBatch(
  shape: ModelShape,
  batch: number,
  optimizer: Optimizer,
  needs: DeviceNeeds,
  limit: number,
  bytesOf: (arenas: Arenas) => number,
): Fit {
  const fits = (arenas: Arenas) => bytesOf(arenas) <= limit;
  const arenasOf = (size: number, of = shape) => trainingSchedule(of, size, optimizer, needs).arenas;
  let [low, high] = [0, batch];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(arenasOf(middle))) low = middle;
    else high = middle - 1;
  }
  if (low === 0) throw new ModelError("device-limit", whatWouldFit(shape, limit, bytesOf, arenasOf));
  const all = [
    evaluationSchedule(shape, low, needs).arenas,
    logitsSchedule(shape, shape.context, needs).arenas,
  ];
  for (let size = 1; size <= low; size++) all.push(arenasOf(size));
  return { batch: low, arenas: largest(all) };
}

function whatWouldFit(
  shape: ModelShape,
  limit: number,
  bytesOf: (arenas: Arenas) => number,
  arenasOf: (size: number, of: ModelShape) => Arenas,
): string {
  const needed = `one sequence needs ${mebibytes(bytesOf(arenasOf(1, shape)))}, the limit is ${mebibytes(limit)}`;
  for (let context = shape.context >> 1; context >= 2; context >>= 1)
    if (bytesOf(arenasOf(1, { ...shape, context })) <= limit)
      return `${needed}: a context of ${context} would fit`;
  return `${needed}: the model itself is too large`;
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

function largest(all: readonly Arenas[]): Arenas {
  const of = (key: keyof Arenas) => Math.max(...all.map((arenas) => arenas[key]));
  return { activations: of("activations"), tokens: of("tokens"), scratch: of("scratch") };
}
