import type { MuonMatrix } from "../contract/muon.ts";
import type { Op } from "./ops.ts";

/** Values of logits that devices compute at a time: 64 MiB, 333 rows of GPT-2's 50,257 tokens, which is enough to fill a GPU. */
export const MAX_LOGITS = 2 ** 24;

/** A device's memory beside the arenas. Lengths in f32 values. */
export interface DeviceNeeds {
  /** Values attention keeps for its backward: all probabilities, or a log-sum-exp a row. At least 1. */
  attention(batch: number, context: number, heads: number, size: number): number;
  /** Values of which the stride of logits is a multiple: 1 where rows without padding are as fast. */
  readonly rowAlignment: number;
  /** Values of logits that are computed at a time, at most, in training and evaluation. */
  readonly logits: number;
  /** How many sums of squares {@link Norm} writes. At least 1. */
  readonly partials: number;
  /** Workspace of {@link MuonStep}. */
  muon(matrices: readonly MuonMatrix[]): number;
  /** Memory for this op alone, while it runs. */
  scratch(op: Op): number;
}
