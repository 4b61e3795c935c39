import { freshCost } from "./audit.ts";
import { Budget } from "./budget.ts";

/** Tickets counted as trained before the first, so that the first newcomers can be audited. */
const AHEAD = 40;
/**
 * Fresh tickets' audits that can be paid for at first. A first ticket of two steps is so small that {@link AHEAD} of them paid for
 * none, and a lone volunteer was first recomputed at its fiftieth ticket.
 */
const FRESH_AHEAD = 4;

/** A run's budget before anything is trained, where tickets are of so many tokens; those of a micro-batch where that is known. */
export function firstBudget(share: number, ticketTokens: number, batchTokens?: number): Budget {
  const least = batchTokens === undefined ? 0 : freshCost(FRESH_AHEAD, batchTokens, ticketTokens);
  return new Budget(share, AHEAD * ticketTokens, least);
}
