import type { ReadonlyList } from "../lib/append-list.ts";
import type { Payer } from "./budget.ts";
import type { Candidate } from "./candidate.ts";
import {
  auditChance,
  overdue,
  type Standing,
  standingOf,
  type Trust,
  trusted,
  trustsNobody,
} from "./standing.ts";
import { medianSize, suspicionOf } from "./weigh.ts";

/**
 * Deltas since its last strike up to which all fresh tickets of a volunteer are recomputed: its first one is among them, unless
 * the audit by which it came to be trusted was late.
 */
const ALL_RECOMPUTED = 8;
/** Chance that a later one is: nobody knows which. */
const RECOMPUTED = 1 / 2;

/** How likely a delta is to be audited, and out of which part of the budget. */
export interface Plan {
  readonly chance: number;
  readonly whose: Payer;
  /** Made whatever it costs, up to a number: the run trusts nobody yet. */
  readonly first?: true;
  /** {@link verdictOfOdd} is the verdict. */
  readonly odd?: true;
}

/**
 * For a delta that was just accepted: surely audited is a suspect one, and often one of a fresh ticket, which can be
 * recomputed; the rest by their authors' standing. A suspect is paid for as a stranger: a veteran that turned would go
 * unaudited once those of veterans have cost their half. Where strangers have used theirs up, the veterans' pays for one of
 * somebody trusted, or it would be discarded unseen. So it does for a second audit and for a fresh ticket: where a run begins
 * with a crowd of newcomers nobody is a veteran before them. And these are paid for as a stranger's first: the server's own
 * direction alone costs a run with few volunteers the half of veterans, and no fresh ticket would ever be recomputed there.
 */
export function planOf(delta: Candidate, fresh: boolean, pool: ReadonlyList<Candidate>, trust: Trust): Plan {
  const first = trustsNobody(trust) && ({ first: true } as const);
  const suspicion = suspicionOf(delta, medianSize(pool, trust));
  const odd = suspicion === "opposed" && ({ odd: true } as const);
  const standing = standingOf(trust, delta.volunteer);
  const surely = !trusted(standing) ? "stranger" : overdue(standing) ? "overdue" : "either";
  if (suspicion !== undefined) return { chance: 1, whose: surely, ...first, ...odd };
  if (fresh) return { chance: recomputedChance(standing), whose: surely, ...first };
  const chance = auditChance(standing);
  return { chance, whose: chance < 1 ? "veteran" : surely, ...first };
}

const recomputedChance = ({ streak }: Standing): number => (streak <= ALL_RECOMPUTED ? 1 : RECOMPUTED);
