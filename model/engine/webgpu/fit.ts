import { ModelError } from "../../contract/config.ts";
import { layoutOf } from "../../contract/layout.ts";
import type { TrainerOptions } from "../../contract/trainer.ts";
import {
  type EvaluationSchedule,
  evaluationSchedule,
  logitsSchedule,
  type TrainingSchedule,
  trainingSchedule,
} from "../schedule.ts";
import { segmentsOf, squaresOf } from "../second-moments.ts";
import { NEEDS } from "./lower.ts";
import type { Lengths } from "./memory.ts";
import { type Tables, tablesOf } from "./tables.ts";

/** The trainer's plan, and the memory for it. */
export interface Fit {
  readonly training: TrainingSchedule;
  readonly evaluation: EvaluationSchedule;
  readonly lengths: Lengths;
  /** Integers of a micro-batch, in words of the tokens' arena. Behind them lie the tables. */
  readonly tokens: number;
  readonly tables: Tables;
}

export type Limits = Pick<GPUSupportedLimits, "maxStorageBufferBindingSize" | "maxBufferSize">;

/**
 * The schedules for the largest micro-batch, up to options.batch and options.micro, whose activations the device can bind; a
 * larger batch is accumulated from several. Throws `device-limit`, saying which limit and what would fit.
 */
export function fitTo(options: TrainerOptions, limits: Limits): Fit {
  const { shape, optimizer, micro = options.batch } = options;
  const layout = layoutOf(shape);
  const parameters = layout.length;
  const room = roomOf(limits);
  if (parameters > room.values) throw tooLarge("the weights", parameters, room, layersThatFit(options, room));
  for (let batch = Math.min(options.batch, micro); batch >= 1; ) {
    const training = trainingSchedule(shape, batch, optimizer, NEEDS);
    const evaluation = evaluationSchedule(shape, batch, NEEDS);
    const logits = logitsSchedule(shape, shape.context, NEEDS);
    const activations = Math.max(...[training, evaluation, logits].map(({ arenas }) => arenas.activations));
    if (activations <= room.values) {
      const tokens = Math.max(training.arenas.tokens, evaluation.arenas.tokens);
      const tables = tablesOf(training.update, tokens);
      const squares = squaresOf(segmentsOf(layout, optimizer));
      const lengths = { parameters, squares, activations, tokens: tokens + tables.words.length };
      return { training, evaluation, tokens, tables, lengths };
    }
    if (batch === 1)
      throw tooLarge("one sequence's activations", activations, room, contextThatFits(options, room));
    batch = Math.max(1, Math.min(batch - 1, Math.floor((batch * room.values) / activations)));
  }
  throw new ModelError("bad-shape", `a batch of ${options.batch}`);
}

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

function layersThatFit({ shape }: TrainerOptions, room: Room): string {
  const with0 = layoutOf({ ...shape, layers: 0 }).length;
  const each = layoutOf({ ...shape, layers: 1 }).length - with0;
  const layers = Math.floor((room.values - with0) / each);
  return layers > 0 ? `${layers} layers would fit` : "not even one layer would fit at this width";
}

function contextThatFits({ shape, optimizer }: TrainerOptions, room: Room): string {
  for (let context = Math.floor(shape.context / 2); context >= 1; context = Math.floor(context / 2)) {
    const { arenas } = trainingSchedule({ ...shape, context }, 1, optimizer, NEEDS);
    if (arenas.activations <= room.values) return `a context of ${context} would fit`;
  }
  return "no context would fit at this width";
}
