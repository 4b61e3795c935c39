import type { AdamW, ModelShape } from "../../model/contract/config.ts";
import { Random } from "../../model/lib/random.ts";

/** The sizes that are measured: a quick check, about 0.1M parameters, 0.9M (the one all peers were studied at), 10M. */
export const CONFIGS = {
  tiny: { layers: 1, heads: 2, width: 16, context: 16, vocabulary: 64 },
  small: { layers: 2, heads: 4, width: 64, context: 64, vocabulary: 256 },
  anchor: { layers: 4, heads: 4, width: 128, context: 128, vocabulary: 512 },
  large: { layers: 5, heads: 6, width: 384, context: 128, vocabulary: 2048 },
} as const satisfies Record<string, ModelShape>;

export type ConfigName = keyof typeof CONFIGS;

export const isConfig = (name: unknown): name is ConfigName =>
  typeof name === "string" && Object.hasOwn(CONFIGS, name);

export const BATCH = 4;
export const RATE = 1e-3;
export const OPTIMIZER: AdamW = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
/** Seed of the weights that every contestant begins with. */
export const SEED = 1;

/** A trainer as a bench drives it. */
export interface Stepper {
  readonly detail: string;
  /** Kernels a step starts; null where that is not known. */
  readonly dispatches: number | null;
  /** Prepares what is outside the measured time: the tokens as this contestant likes them. */
  stage(tokens: Uint16Array): void;
  /** One whole step on what was staged; resolves with its loss when the device has finished. */
  step(): Promise<number>;
  /** Frees what it holds, where the process does not end by itself. */
  dispose?(): void;
}

/**
 * Tokens [batch, context + 1] of step `index`: a chain that goes from v to 3v + {0…3}, so that there is
 * something to learn and the twenty steps' curve is one.
 */
export function tokensOf({ context, vocabulary }: ModelShape, index: number): Uint16Array {
  const random = new Random(100 + index);
  const tokens = new Uint16Array(BATCH * (context + 1));
  for (let at = 0; at < tokens.length; at++) {
    const first = at % (context + 1) === 0;
    tokens[at] = first ? random.below(vocabulary) : (3 * tokens[at - 1]! + random.below(4)) % vocabulary;
  }
  return tokens;
}
