/** Whose deltas a half of the budget is for. */
export type Half = "veteran" | "stranger";

/** Both, for what looks at whole versions and is paid for by whichever can. */
export const HALVES = ["veteran", "stranger"] as const satisfies readonly Half[];

/**
 * Which halves pay for an audit; "either": the strangers', and the veterans' where that is used up; "overdue": the same, before
 * single audits of others, as what looks at whole versions is paid for.
 */
export type Payer = Half | "either" | "overdue";

/** An audit's order: micro-batches of text, and whether the server's own delta is measured as well. */
export interface Look {
  readonly batches: number;
  readonly own: boolean;
  /** Measured to see how much of the ticket's work is in it (effort.ts): in little gate text, and trained once. */
  readonly effort?: true;
  /** The ticket is trained once: that its course is steady was seen lately. */
  readonly once?: true;
}

/**
 * Audits that are made whatever they cost while a run trusts nobody: as many as wait at most. With garbage of nine new keys a
 * run begins with what three audits cost, and the tenth, who is honest, might wait for its own for twenty versions.
 */
const FIRST_AUDITS = 32;

/** Part of what is earned that pays back what was allowed before: over a run's life audits cost no more than their share. */
const PAID_BACK = 3 / 4;

/**
 * Part of what strangers' audits may cost at first that is the largest debt of either half. Once what was allowed before is paid
 * back, as much is laid by: what must be spent then comes out of the share, and not on top of it.
 */
const DEBT = 1 / 4;

/**
 * Times what strangers' audits may cost at first that all may have cost then: twice by what the halves are allowed and may owe, and
 * half as much for what an audit that has begun may have to cost. With twice that alone, audits that find attackers were missing in
 * the bench's first 40,000 tokens.
 */
const AHEAD_OF_ALL = 5 / 2;

/**
 * What audits may cost: a share of what volunteers train, half of it for veterans' deltas and half for those of newcomers
 * and suspects. Neither can use the other's up: strangers' garbage would keep veterans from being audited, and honest
 * work pay for the strangers' going unaudited. What both owe together stays within the share, once what was allowed before is
 * paid back.
 */
export class Budget {
  readonly #share: number;
  /** Tokens of training that strangers' audits may cost before anything is trained. */
  readonly #ahead: number;
  /** Tokens of training, the largest debt of a half. */
  readonly #debt: number;
  #earned = 0;
  #first = FIRST_AUDITS;
  readonly #spent = { veteran: 0, stranger: 0 };
  #total = 0;

  /**
   * `ahead`: tokens of training counted as done already, so that the first newcomers can be audited. `least`: tokens that
   * strangers' audits may cost at first in any case, where there are audits at all.
   */
  constructor(share: number, ahead: number, least = 0) {
    this.#share = share;
    this.#ahead = share === 0 ? 0 : Math.max(share * ahead, least);
    this.#debt = DEBT * this.#ahead;
  }

  earn(tokens: number): void {
    this.#earned += tokens;
  }

  /** `owing`: what may have to be spent because of it, whatever is left by then. `debt`: what its half may owe after it. */
  affords(cost: number, whose: Half, owing = 0, debt = 0): boolean {
    return this.#spent[whose] + cost <= this.#allowed(whose) + debt && this.#leaves(cost + owing);
  }

  /** Whether it can be afforded; then it is spent. */
  spend(cost: number, whose: Half, owing = 0, debt = 0): boolean {
    if (!this.affords(cost, whose, owing, debt)) return false;
    this.owe(cost, whose);
    return true;
  }

  /** The first of these halves that can afford it, which then has spent it. */
  spendOf(halves: readonly Half[], cost: number, owing = 0): Half | undefined {
    return halves.find((half) => this.spend(cost, half, owing));
  }

  /**
   * The same by either half for what looks at all deltas of a version, and finds what single audits are then made for: it comes
   * before those, and may leave half of the largest debt.
   */
  spendFirst(cost: number): boolean {
    return this.#spendInDebt(HALVES, cost, 0, this.#debt / 2) !== undefined;
  }

  /**
   * The first half that can afford it so, which then has spent it; it may leave the whole of the largest debt: what looks at
   * versions costs less than an audit, and would take whatever is earned before that is enough for one.
   */
  spendOverdue(halves: readonly Half[], cost: number, owing: number): Half | undefined {
    return this.#spendInDebt(halves, cost, owing, this.#debt);
  }

  /** A half that need not owe anything comes first. */
  #spendInDebt(halves: readonly Half[], cost: number, owing: number, debt: number): Half | undefined {
    return this.spendOf(halves, cost, owing) ?? halves.find((half) => this.spend(cost, half, owing, debt));
  }

  /** Spends whatever is left: all of it is owed, and later audits wait until it is earned. */
  owe(cost: number, whose: Half): void {
    this.#spent[whose] += cost;
    this.#total += cost;
  }

  /**
   * The same of what a roll-back or a run's beginning asks for, which may be a hundred times as much as an audit: later audits wait
   * for no longer than a debt of a quarter of what a run begins with takes. Else a provoked roll-back would leave garbage unaudited
   * for as long as its audits cost. Returns what of the cost lay beyond that debt: it is not owed, and not given back either.
   */
  charge(cost: number, whose: Half): number {
    const most = this.#allowed(whose) + this.#debt;
    const forgiven = Math.min(cost, Math.max(0, this.#spent[whose] + cost - most));
    this.#spent[whose] += cost - forgiven;
    this.#total += cost;
    return forgiven;
  }

  /** Whether one more of the first audits may be made; then it is counted. */
  takeFirst(): boolean {
    if (this.#first === 0) return false;
    this.#first -= 1;
    return true;
  }

  /** Takes back what was spent and is not needed, of which `forgiven` was never owed. */
  refund(cost: number, whose: Half, forgiven = 0): void {
    this.#spent[whose] -= cost - forgiven;
    this.#total -= cost;
  }

  /** Whether all that is owed stays within the share with so much more, or within what was allowed before. */
  #leaves(cost: number): boolean {
    const income = this.#share * this.#earned;
    const ahead = Math.max(0, AHEAD_OF_ALL * this.#ahead - PAID_BACK * income);
    return this.#spent.veteran + this.#spent.stranger + cost <= income + ahead;
  }

  #allowed(whose: Half): number {
    // There are no veterans at first, except the server's own direction.
    const ahead = whose === "stranger" ? this.#ahead : this.#ahead / 2;
    const income = (this.#share * this.#earned) / 2;
    return income + Math.max(-this.#debt, ahead - PAID_BACK * income);
  }

  get spent(): number {
    return this.#total;
  }
}

/** What pays for the looks of one audit. */
export interface Purse {
  /** Whether the second look is to be paid for with the first: of who has no audit behind it. */
  readonly reserves: boolean;
  /**
   * Pays for these looks together; false, and nothing paid, where they cannot be afforded, or where it could not be afforded if
   * those of `owing` had to be paid for after them.
   */
  pay(looks: readonly Look[], owing?: readonly Look[]): boolean;
  /** Pays for a look whatever is left. */
  owe(look: Look): void;
  /** Takes back what was paid for a look that is not needed. */
  refund(look: Look): void;
}

/** A purse out of a budget. An audit that `must` be made is paid for whatever is left. */
export function purseOf(budget: Budget, whose: Payer, cost: (look: Look) => number, must = false): Purse {
  const isOverdue = whose === "overdue";
  const halves: readonly Half[] = whose === "either" || isOverdue ? ["stranger", "veteran"] : [whose];
  let paid = halves[0]!;
  /** What was paid last and is not owed: of this audit alone, since others pay meanwhile. */
  let forgiven = 0;
  const owe = (sum: number) => {
    forgiven = 0;
    if (must) forgiven = budget.charge(sum, paid);
    else budget.owe(sum, paid);
    return true;
  };
  const costOf = (looks: readonly Look[]) => looks.reduce((all, look) => all + cost(look), 0);
  return {
    reserves: whose === "stranger",
    owe: (look) => void owe(cost(look)),
    pay: (looks, owing = []) => {
      const sum = costOf(looks);
      // A volunteer that is nearly found bad does not go free because the budget is spent.
      if (looks.some(({ own, effort }) => !effort && (must || own))) return owe(sum);
      forgiven = 0;
      const owed = costOf(owing);
      const half = isOverdue ? budget.spendOverdue(halves, sum, owed) : budget.spendOf(halves, sum, owed);
      paid = half ?? paid;
      return half !== undefined;
    },
    refund: (look) => {
      const back = cost(look);
      const free = Math.min(back, forgiven);
      forgiven -= free;
      budget.refund(back, paid, free);
    },
  };
}
