import type { Trainer } from "../../model/contract/trainer.ts";
import { batchesOf } from "../../model/data/batches.ts";
import type { Ticket } from "../../protocol/ticket.ts";

/** What an attacker can measure on its own machine before it sends. */
export interface Lab {
  /** Mean losses where the version's weights are taken on by this delta, or by none. */
  losses(delta?: Float32Array): Promise<Losses>;
}

export interface Losses {
  /** On its ticket's text. */
  readonly own: number;
  /** On other public text, which stands for the gate text that it does not have. */
  readonly other: number;
}

/** Micro-batches of other text. */
const OTHERS = 4;

/** A lab for one ticket; `text` is what that names, `all` what anybody can read. */
export function labFor(
  trainer: Trainer,
  weights: Float32Array,
  ticket: Ticket,
  { text, all, context }: { text: Uint16Array; all: Uint16Array; context: number },
): Lab {
  const { batch } = ticket;
  const own = [...batchesOf(text, ticket, context)];
  const elsewhere = { ...ticket, window: (ticket.seed % all.length) + 1, steps: OTHERS };
  const other = [...batchesOf(all, elsewhere, context)];
  const mean = async (batches: readonly Uint16Array[]) => {
    let sum = 0;
    for (const tokens of batches) sum += await trainer.evaluate(tokens, batch);
    return sum / batches.length;
  };
  return {
    async losses(delta) {
      await trainer.load(delta === undefined ? weights : weights.map((value, i) => value - delta[i]!));
      return { own: await mean(own), other: await mean(other) };
    },
  };
}
