import { ModelError, type ModelShape } from "../../contract/config.ts";
import { layoutOf } from "../../contract/layout.ts";
import type { TrainerOptions } from "../../contract/trainer.ts";
import type { Op } from "../ops.ts";
import type { Recompute } from "../recompute.ts";
import {
  type EvaluationSchedule,
  evaluationSchedule,
  logitsSchedule,
  type TrainingSchedule,
  trainingSchedule,
} from "../schedule.ts";
import { TooLarge } from "../too-large.ts";
import type { DeviceOp } from "./kernels/device-op.ts";
import { NEEDS } from "./lower.ts";
import type { Lengths } from "./memory.ts";
import { type Tables, tablesOf } from "./tables.ts";
import { largestPiece, type Vectors, vectorsOf } from "./vectors.ts";

/** Ops for vectors in parts. Where each is one part they stay as they are. */
export type Cut = (ops: readonly Op[], vectors: Vectors) => readonly DeviceOp[];

type InPieces<Schedule, Lists extends keyof Schedule> = Omit<Schedule, Lists> & {
  readonly [List in Lists]: readonly DeviceOp[];
};
export type DeviceTraining = InPieces<TrainingSchedule, "first" | "more" | "update">;
export type DeviceEvaluation = InPieces<EvaluationSchedule, "ops">;

/** The trainer's plan, and the memory for it. */
export interface Fit {
  readonly training: DeviceTraining;
  readonly evaluation: DeviceEvaluation;
  readonly lengths: Lengths;
  /** Integers of a micro-batch, in words of the tokens' arena. Behind them lie the tables. */
  readonly tokens: number;
  readonly tables: Tables;
}

export type Limits = Pick<GPUSupportedLimits, "maxStorageBufferBindingSize" | "maxBufferSize">;

/**
 * The schedules for the largest micro-batch, up to options.batch and options.micro, whose activations the device can bind; a
 * larger batch is accumulated from several. Vectors that it cannot bind lie in several parts. With `recompute` it is one sequence at
 * a time. Throws `device-limit`, saying which limit and what would fit.
 */
export function fitTo(
  options: TrainerOptions,
  limits: Limits,
  cut: Cut = asTheyAre,
  recompute?: Recompute,
): Fit {
  const { shape, optimizer } = options;
  const micro = recompute ? 1 : (options.micro ?? options.batch);
  const room = roomOf(limits);
  const { name, length } = largestPiece(layoutOf(shape));
  if (length > room.values) {
    const narrow = (of: ModelShape) => largestPiece(layoutOf(of)).length <= room.values;
    throw new TooLarge(tooLarge(`the weights of ${name}`, length, room), shape, "width", narrow);
  }
  const vectors = vectorsOf(options, room.values);
  for (let batch = Math.min(options.batch, micro); batch >= 1; ) {
    const plan = trainingSchedule(shape, batch, optimizer, NEEDS, recompute);
    const evaluation = evaluationSchedule(shape, batch, NEEDS);
    const logits = logitsSchedule(shape, shape.context, NEEDS);
    const activations = Math.max(...[plan, evaluation, logits].map(({ arenas }) => arenas.activations));
    if (activations <= room.values) {
      const [first, more, update] = [plan.first, plan.more, plan.update].map((ops) => cut(ops, vectors));
      const tokens = Math.max(plan.arenas.tokens, evaluation.arenas.tokens);
      const tables = tablesOf(update!, tokens);
      return {
        training: { ...plan, first: first!, more: more!, update: update! },
        evaluation: { ...evaluation, ops: cut(evaluation.ops, vectors) },
        tokens,
        tables,
        lengths: { vectors, activations, tokens: tokens + tables.words.length },
      };
    }
    if (batch === 1) {
      const short = (of: ModelShape) =>
        trainingSchedule(of, 1, optimizer, NEEDS, recompute).arenas.activations <= room.values;
      throw new TooLarge(tooLarge("one sequence's activations", activations, room), shape, "context", short);
    }
    batch = Math.max(1, Math.min(batch - 1, Math.floor((batch * room.values) / activations)));
  }
  throw new ModelError("bad-shape", `a batch of ${options.batch}`);
}

const asTheyAre: Cut = (ops, { weights }) => {
  if (weights.length > 1) throw new ModelError("device-limit", "the weights do not fit one binding");
  return ops;
};

/** How ops are cut on a device: that code is fetched by those alone who need it. */
export async function cutFor({ shape }: TrainerOptions, limits: Limits): Promise<Cut> {
  if (layoutOf(shape).length <= roomOf(limits).values) return asTheyAre;
  const { inParts } = await import("./pieces.ts");
  return inParts;
}

/** Bytes of the device's memory in the plan: six vectors, activations, and what comes with them. */
export const plannedBytes = ({ lengths: { vectors, activations, tokens } }: Fit): number => {
  const squares = vectors.squares.reduce((sum, { length }) => sum + length, 0);
  return 4 * (5 * vectors.length + squares + activations + tokens);
};

interface Room {
  readonly limit: keyof Limits;
  readonly values: number;
}

/** The limit that binds first. The last 16 bytes are rounding's. */
function roomOf({ maxStorageBufferBindingSize, maxBufferSize }: Limits): Room {
  const limit =
    maxStorageBufferBindingSize <= maxBufferSize ? "maxStorageBufferBindingSize" : "maxBufferSize";
  return { limit, values: Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 16) * 4 };
}

const tooLarge = (what: string, values: number, { limit, values: most }: Room): string =>
  `${what} take ${mebibytes(values)} and this device's ${limit} is ${mebibytes(most)}`;

const mebibytes = (values: number): string => `${((values * 4) / 2 ** 20).toFixed(1)} MiB`;
