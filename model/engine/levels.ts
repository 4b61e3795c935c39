import { ModelError } from "../contract/config.ts";
import { halved } from "./halves.ts";
import { byBlock, type Recompute, selective } from "./recompute.ts";
import { TooLarge } from "./too-large.ts";

/**
 * What `attempt` makes with as little done again as it takes; `halves` says whether the device can keep activations in f16. That comes
 * before whole blocks, since it takes a tenth of their time. Throws what the last one did, and what would fit.
 */
export async function recomputing<T>(
  attempt: (recompute: Recompute) => T | Promise<T>,
  halves = false,
): Promise<T> {
  let refused: unknown;
  for (const recompute of halves ? [selective, halved, byBlock] : [selective, byBlock]) {
    try {
      return await attempt(recompute);
    } catch (error) {
      if (!(error instanceof ModelError && error.code === "device-limit")) throw error;
      refused = error;
    }
  }
  throw refused instanceof TooLarge ? advised(refused) : refused;
}

/** The same with the largest context, or width, halved as often as it takes, that would fit. */
function advised({ message, shape, side, fits }: TooLarge): ModelError {
  const unit = side === "width" ? shape.heads : 1;
  let value = shape[side];
  do value = Math.floor(value / 2 / unit) * unit;
  while (value > 0 && !fits({ ...shape, [side]: value }));
  const advice = value > 0 ? `a ${side} of ${value} would fit` : `no ${side} would fit`;
  return new ModelError("device-limit", `${message}: ${advice}`);
}
