import { ModelError } from "../../contract/config.ts";
import { layoutOf } from "../../contract/layout.ts";
import type { TrainerOptions } from "../../contract/trainer.ts";
import type { Op } from "../ops.ts";
import {
  type EvaluationSchedule,
  evaluationSchedule,
  logitsSchedule,
  type TrainingSchedule,
  trainingSchedule,
} from "../schedule.ts";
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
 * larger batch is accumulated from several. Vectors that it cannot bind lie in several parts. Throws `device-limit`, saying
 * which limit and what would fit.
 */
export function fitTo(options: TrainerOptions, limits: Limits, cut: Cut = asTheyAre): Fit {
  const { shape, optimizer, micro = options.batch } = options;
  const room = roomOf(limits);
  const { name, length } = largestPiece(layoutOf(shape));
  if (length > room.values)
    throw tooLarge(`the weights of ${name}`, length, room, widthThatFits(options, room));
  const vectors = vectorsOf(options, room.values);
  for (let batch = Math.min(options.batch, micro); batch >= 1; ) {
    const plan = trainingSchedule(shape, batch, optimizer, NEEDS);
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
    if (batch === 1)
      throw tooLarge("one sequence's activations", activations, room, contextThatFits(options, room));
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

function tooLarge(what: string, values: number, { limit, values: most }: Room, fits: string): ModelError {
  const mebibytes = (count: number) => `${((count * 4) / 2 ** 20).toFixed(1)} MiB`;
  return new ModelError(
    "device-limit",
    `${what} take ${mebibytes(values)} and this device's ${limit} is ${mebibytes(most)}: ${fits}`,
  );
}

function widthThatFits({ shape }: TrainerOptions, room: Room): string {
  for (let width = Math.floor(shape.width / 2 / shape.heads) * shape.heads; width > 0; ) {
    if (largestPiece(layoutOf({ ...shape, width })).length <= room.values)
      return `a width of ${width} would fit`;
    width = Math.floor(width / 2 / shape.heads) * shape.heads;
  }
  return "no width would fit";
}

function contextThatFits({ shape, optimizer }: TrainerOptions, room: Room): string {
  for (let context = Math.floor(shape.context / 2); context >= 1; context = Math.floor(context / 2)) {
    const { arenas } = trainingSchedule({ ...shape, context }, 1, optimizer, NEEDS);
    if (arenas.activations <= room.values) return `a context of ${context} would fit`;
  }
  return "no context would fit at this width";
}
