import type { Hash } from "../../protocol/ids.ts";
import type { Budget } from "../trust/budget.ts";
import type { Gauge } from "../trust/gauge.ts";
import type { AuditQueue } from "./audit-queue.ts";
import type { LooksOptions } from "./looks.ts";

/** Versions after which it is computed again. */
export const DIRECTION_EVERY = 8;
export const DIRECTION_STEPS = 4;

export interface DirectionOptions extends Pick<LooksOptions, "auditor" | "draw" | "rates" | "state"> {
  readonly context: number;
  /** Sequences of a micro-batch. */
  readonly batch: number;
  /** Measures deltas as they come in, and compares them with the server's own direction. */
  readonly gauge: Gauge;
  /** The weights of a version that is kept, or undefined. */
  readonly weights: (hash: Hash) => Promise<Float32Array<ArrayBuffer> | undefined>;
}

/** The server's own direction: where steps on gate text lead. What opposes it is looked at before it is merged. */
export class Direction {
  readonly #options: DirectionOptions;
  readonly #queue: AuditQueue;
  /** The version that it was last found, or tried, at. */
  #found = Number.NEGATIVE_INFINITY;

  constructor(options: DirectionOptions, queue: AuditQueue) {
    this.#options = options;
    this.#queue = queue;
  }

  /** Computes it again once it is old, where the budget allows it. */
  keep(budget: Budget): void {
    const { auditor, batch, context, draw, gauge, rates, state, weights } = this.#options;
    const { version } = state();
    if (version - this.#found < DIRECTION_EVERY) return;
    if (!budget.spendFirst(DIRECTION_STEPS * batch * context)) return;
    this.#found = version;
    this.#queue.put(async () => {
      const { hash, tokens } = state();
      const at = await weights(hash);
      if (at === undefined) return;
      const job = { weights: at, rates: rates(tokens, DIRECTION_STEPS, batch), batch, seed: draw() };
      gauge.direct(await auditor.direct(job));
    });
  }
}
