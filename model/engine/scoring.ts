import type { ModelShape } from "../contract/config.ts";
import type { DeviceNeeds } from "./device-needs.ts";
import { Network } from "./network.ts";
import type { Op, Slot } from "./ops.ts";
import { type Arenas, planArenas } from "./plan.ts";

/**
 * Forward only: the losses of a few guesses, where most rows are but read. Between `body` and `head` the host copies the
 * rows of `normed` that are guessed from into `chosen`, one as often as there are guesses, so that the head sees no other.
 */
export interface ScoringSchedule {
  readonly body: readonly Op[];
  readonly head: readonly Op[];
  /** [sequences · length] */
  readonly inputs: Slot;
  /** [guesses] */
  readonly targets: Slot;
  /** [sequences · length, width] */
  readonly normed: Slot;
  /** [guesses, width] */
  readonly chosen: Slot;
  /** Nats a guess, [guesses]. */
  readonly losses: Slot;
  readonly arenas: Arenas;
}

/** `guesses` after rows of `batch` sequences of `length` tokens each, 1 to `shape.context`. */
export function scoringSchedule(
  shape: ModelShape,
  batch: number,
  length: number,
  guesses: number,
  needs: DeviceNeeds,
): ScoringSchedule {
  const net = new Network(shape, batch, length, needs);
  const normed = net.inference();
  const before = net.ops.length;
  const chosen = net.slot(guesses * shape.width);
  const { losses } = net.head.loss(chosen, false, guesses);
  const arenas = planArenas(net.ops, [normed, chosen, losses], needs);
  const { inputs, targets } = net.tokens;
  const [body, head] = [net.ops.slice(0, before), net.ops.slice(before)];
  return { body, head, inputs, targets: { ...targets, length: guesses }, normed, chosen, losses, arenas };
}
