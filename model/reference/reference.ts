import type { Trainer } from "../contract/trainer.ts";
import type { ReferenceOptions } from "./tfjs-trainer.ts";

export type { ReferenceOptions };

/**
 * The reference trainer: GPT-2 in plain tfjs ops, the fallback on every device and the fast engine's oracle.
 * tfjs and the one backend are fetched here, on the first call, so that a page that never needs them loads
 * neither. Rejects with `device-unavailable` or `device-limit`.
 */
export async function createReference(options: ReferenceOptions): Promise<Trainer> {
  const { TfjsTrainer } = await import("./tfjs-trainer.ts");
  return TfjsTrainer.open(options);
}
