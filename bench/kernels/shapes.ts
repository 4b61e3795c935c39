import { CONFIGS } from "../../client/benchmark/workload.ts";
import { PRESETS } from "../../client/console/setup/order.ts";
import type { ModelShape } from "../../model/contract/config.ts";

/** Sequences of a step. */
export const BATCH = 4;

const preset = (index: number): ModelShape => {
  const { layers, heads, width, context, vocabulary } = PRESETS[index]!;
  return { layers, heads, width, context, vocabulary };
};

/** Models whose kernels are compiled: those that the setup page offers, one of 10M parameters, and GPT-2 small. */
export const SHAPES = {
  tiny: preset(0),
  small: preset(1),
  medium: preset(2),
  large: preset(3),
  "10M": CONFIGS.large,
  "GPT-2 small": { layers: 12, heads: 12, width: 768, context: 1024, vocabulary: 50_257 },
} as const satisfies Record<string, ModelShape>;

export type ShapeName = keyof typeof SHAPES;
export const SHAPE_NAMES = Object.keys(SHAPES) as ShapeName[];
