import { freshCost } from "./audit.ts";
import { Budget } from "./budget.ts";

/** Tickets counted as trained before the first, so that the first newcomers can be audited. */
const AHEAD = 40;
/**
 * Fresh tickets' audits that can be paid for at first. A first ticket of two steps is so small that {@link AHEAD} of them paid for
 * none, and a lone volunteer was first recomputed at its fiftieth ticket.
 */
const FRESH_AHEAD = 5;

/** What is known of a run's first tickets. */
export interface FirstTickets {
  /** Of a whole one. */
  readonly tokens: number;
  /** Of a micro-batch, where that is known. */
  readonly batchTokens?: number;
  /** Part of its steps that a fresh one has; absent: all. */
  readonly freshPart?: number | undefined;
}

/** A run's budget before anything is trained. */
export function firstBudget(share: number, { tokens, batchTokens, freshPart = 1 }: FirstTickets): Budget {
  if (batchTokens === undefined) return new Budget(share, AHEAD * tokens);
  const fresh = batchTokens * Math.ceil((freshPart * tokens) / batchTokens);
  return new Budget(share, AHEAD * tokens, freshCost(FRESH_AHEAD, batchTokens, fresh));
}
