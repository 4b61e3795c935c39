import { CONFIGS } from "../../client/benchmark/workload.ts";
import type { ModelShape } from "../../model/contract/config.ts";

/** Sequences of a step. */
export const BATCH = 4;

/**
 * Models whose kernels are compiled: those that the setup page offers, of which test/bench-kernels.test.ts knows, one of 10M
 * parameters, and GPT-2 small.
 */
export const SHAPES = {
  tiny: { layers: 2, heads: 4, width: 96, context: 128, vocabulary: 512 },
  small: { layers: 4, heads: 4, width: 128, context: 128, vocabulary: 2_048 },
  medium: { layers: 6, heads: 6, width: 240, context: 256, vocabulary: 4_096 },
  large: { layers: 8, heads: 8, width: 448, context: 256, vocabulary: 8_192 },
  "10M": CONFIGS.large,
  "GPT-2 small": { layers: 12, heads: 12, width: 768, context: 1024, vocabulary: 50_257 },
} as const satisfies Record<string, ModelShape>;

export type ShapeName = keyof typeof SHAPES;
export const SHAPE_NAMES = Object.keys(SHAPES) as ShapeName[];
