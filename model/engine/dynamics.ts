import type { AdamW } from "../contract/config.ts";
import type { Dynamics } from "./ops.ts";

/**
 * The numbers of step `step` (counted from 1) on `rows` rows. The corrections 1 − βᵗ come from squaring and
 * multiplying alone: Math.pow may differ in its last bit between engines, and these must not.
 */
export function dynamicsOf(
  { beta1, beta2 }: Pick<AdamW, "beta1" | "beta2">,
  step: number,
  rate: number,
  rows: number,
): Dynamics {
  return {
    lossScale: 1 / rows,
    rate,
    correction1: 1 - power(beta1, step),
    correction2: 1 - power(beta2, step),
  };
}

/** base^exponent for a whole exponent ≥ 0. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2), square *= square)
    if (rest % 2 === 1) result *= square;
  return result;
}
