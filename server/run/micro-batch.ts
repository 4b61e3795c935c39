import type { Settings } from "./settings.ts";

/** Tokens of a step with Muon inside, as times of the width: Newton–Schulz costs about 5 × width ÷ tokens of a step. */
const MUON_TOKENS_TIMES_WIDTH = 16;
const MAX_MUON_BATCH = 64;

/** Sequences of a micro-batch with Muon inside, at most. */
export function muonBatch({ batch, optimizer, model: { width, context } }: Settings): number {
  if (optimizer.inner === "muon") return batch;
  const worth = Math.round((MUON_TOKENS_TIMES_WIDTH * width) / context);
  return Math.max(batch, Math.min(MAX_MUON_BATCH, worth));
}

/** Sequences of the largest micro-batch that a ticket may ask for, and at least what the server trains itself (audits.ts). */
export function largestBatch(settings: Settings): number {
  const { rounds, batch } = settings;
  if (rounds === "turns" || rounds.inner === "adamw") return batch;
  return rounds.batch === "paced" ? muonBatch(settings) : Math.max(batch, rounds.batch);
}
