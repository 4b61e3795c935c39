import { ModelError, type ModelShape, type Optimizer } from "../contract/config.ts";
import type { DeviceNeeds } from "./device-needs.ts";
import type { Arenas } from "./plan.ts";
import type { Recompute } from "./recompute.ts";
import { evaluationSchedule, logitsSchedule, trainingSchedule } from "./schedule.ts";
import { TooLarge } from "./too-large.ts";

/**
 * What `attempt` makes with all activations kept, or, where that throws `device-limit`, with more and more of them computed again, or,
 * with `halves`, in f16.
 * Throws what the last one did, of a {@link TooLarge} with the words what would fit.
 */
export async function recomputingLeast<T>(
  attempt: (recompute?: Recompute) => T | Promise<T>,
  halves?: boolean,
): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    const part = isLimit(error) && (await import("./levels.ts").catch(() => undefined));
    if (part) return part.recomputing(attempt, halves);
    throw error; // also where the code is missing
  }
}

const isLimit = (error: unknown) => error instanceof ModelError && error.code === "device-limit";

/** A micro-batch and the arenas that serve it, every smaller one, evaluation and logits. */
export interface Fit {
  readonly batch: number;
  readonly arenas: Arenas;
}

/**
 * The largest micro-batch of at most `batch` sequences that `bytesOf` says stays within `limit`: a step on
 * more sequences accumulates gradients over several. Throws {@link TooLarge} when not even one sequence does.
 */
export function fitBatch(
  shape: ModelShape,
  batch: number,
  optimizer: Optimizer,
  needs: DeviceNeeds,
  limit: number,
  bytesOf: (arenas: Arenas) => number,
  recompute?: Recompute,
): Fit {
  const fits = (arenas: Arenas) => bytesOf(arenas) <= limit;
  const arenasOf = (size: number, of = shape) =>
    trainingSchedule(of, size, optimizer, needs, recompute).arenas;
  let [low, high] = [0, batch];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(arenasOf(middle))) low = middle;
    else high = middle - 1;
  }
  if (low === 0) {
    const needed = `one sequence needs ${mebibytes(bytesOf(arenasOf(1)))}, the limit is ${mebibytes(limit)}`;
    throw new TooLarge(needed, shape, "context", (of) => fits(arenasOf(1, of)));
  }
  const all = [
    evaluationSchedule(shape, low, needs).arenas,
    logitsSchedule(shape, shape.context, needs).arenas,
  ];
  for (let size = 1; size <= low; size++) all.push(arenasOf(size));
  return { batch: low, arenas: largest(all) };
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

function largest(all: readonly Arenas[]): Arenas {
  const of = (key: keyof Arenas) => Math.max(...all.map((arenas) => arenas[key]));
  return { activations: of("activations"), tokens: of("tokens"), scratch: of("scratch") };
}
