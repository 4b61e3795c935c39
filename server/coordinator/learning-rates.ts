/** The part of the run's settings that makes its learning-rate schedule. */
export interface Schedule {
  readonly learningRate: number;
  readonly warmupTokens: number;
  readonly tokenBudget: number;
  readonly finalRate: number;
}

/**
 * The inner learning rate when `tokens` are merged in all: a linear warm-up, then a cosine to `finalRate` of
 * the highest at the token budget. It follows the run's tokens, never one volunteer's, so that a newcomer
 * trains at the rate of everyone else.
 */
export function rateAt(schedule: Schedule, tokens: number): number {
  const { learningRate, warmupTokens, tokenBudget, finalRate } = schedule;
  if (tokens < warmupTokens) return (learningRate * tokens) / warmupTokens;
  const progress = Math.min(1, (tokens - warmupTokens) / Math.max(1, tokenBudget - warmupTokens));
  return learningRate * (finalRate + (1 - finalRate) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/** Steps that the warm-up takes in a ticket, at most, where it is counted in steps. */
const WARMUP_STEPS = 3;

/**
 * One rate for each of a ticket's steps; each step counts its own tokens, so none of them is zero. Where that is so, the warm-up
 * is over after three steps: of several volunteers one's tokens say little of how far the run is, and Muon's first steps are as
 * long as its last (docs/LEARNING.md).
 */
export function ratesOf(
  schedule: Schedule,
  tokens: number,
  steps: number,
  tokensPerStep: number,
  inSteps = false,
): number[] {
  const { warmupTokens } = schedule;
  return Array.from({ length: steps }, (_, step) => {
    const own = tokens + (step + 1) * tokensPerStep;
    const warm = inSteps ? Math.min(warmupTokens, tokens + ((step + 1) * warmupTokens) / WARMUP_STEPS) : 0;
    return rateAt(schedule, Math.max(own, warm));
  });
}
