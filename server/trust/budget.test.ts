import { expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import { freshCost, lookCost, lookInto, verdictOf } from "./audit.ts";
import { Budget, HALVES, type Look, type Purse, purseOf } from "./budget.ts";
import { firstBudget } from "./first-budget.ts";
import { NO_TRUST } from "./standing.ts";
import { NOTHING_USUAL, withGain } from "./usual.ts";

const evidence = (own: number, gate: number) => ({
  assigned: { before: 3, after: 3 - own },
  gate: { before: 3, after: 3 - gate },
});
const trust = { ...NO_TRUST, usual: withGain(NOTHING_USUAL, 0, 0.1) };

test("nothing is spent beyond the share, and neither half by the other's audits", () => {
  const budget = new Budget(0.1, 100);
  expect([budget.spend(10, "stranger"), budget.spend(1, "stranger")]).toEqual([true, false]);
  expect([budget.spend(5, "veteran"), budget.spend(1, "veteran")]).toEqual([true, false]);
  budget.earn(80); // three quarters of what it allows pay back what was allowed before
  expect([budget.spend(1, "veteran"), budget.spend(1, "stranger")]).toEqual([true, true]);
  expect([budget.spend(0.1, "veteran"), budget.spend(0.1, "stranger")]).toEqual([false, false]);
});

test("A14: strangers' garbage finds no audits whose second look nobody pays for, and leaves veterans theirs", async () => {
  // Each look costs 1 for a micro-batch; a tenth of 1,000 tokens may be spent, of which half is the strangers'.
  const cost = ({ batches }: { batches: number }) => batches;
  const garbage = evidence(-0.5, -0.5);
  const budget = new Budget(0.1, 0);
  budget.earn(1_000);
  const found: (string | undefined)[] = [];
  for (let key = 0; key < 100; key++) {
    const verdict = await lookInto(
      async () => garbage,
      purseOf(budget, "stranger", cost),
      (about) => verdictOf(about, 5, trust),
      "lately",
    );
    found.push(verdict?.verdict);
  }
  expect(found.filter((verdict) => verdict === "bad")).toHaveLength(10); // 5 each, of 50
  expect(budget.spent).toBe(50);
  expect(budget.spend(50, "veteran")).toBe(true);
  // The control: first looks alone use the strangers' half up, and nobody is found bad.
  const unreserved = new Budget(0.1, 0);
  unreserved.earn(1_000);
  for (let key = 0; key < 50; key++) expect(unreserved.spend(1, "stranger")).toBe(true);
  expect(unreserved.spend(2, "stranger")).toBe(false);
});

test("an honest stranger's audit costs the first look alone", async () => {
  const budget = new Budget(0.1, 0);
  budget.earn(100);
  const purse = purseOf(budget, "stranger", ({ batches }) => batches);
  const honest = () =>
    lookInto(
      async () => evidence(0.5, 0.3),
      purse,
      (about) => verdictOf(about, 5, trust),
      "lately",
    );
  for (let i = 1; i <= 3; i++) {
    expect((await honest())?.verdict).toBe("good");
    expect(budget.spent).toBe(i);
  }
  expect(await honest()).toBeUndefined(); // of 5, the second look of the fourth is missing
});

test("A14: of the trusted each honest delta needs what the first look costs, and a bad one is found though nothing is left; strangers, the control, need the second look's as well", async () => {
  const cost = ({ batches }: { batches: number }) => batches;
  const audited = async (whose: "veteran" | "stranger", gain: number, budget: Budget) =>
    (
      await lookInto(
        async () => evidence(gain, gain),
        purseOf(budget, whose, cost),
        (about) => verdictOf(about, 5, trust),
        "lately",
      )
    )?.verdict;
  for (const [whose, made] of [
    ["veteran", 5],
    ["stranger", 3],
  ] as const) {
    const budget = new Budget(0.1, 0);
    budget.earn(100);
    const verdicts: (string | undefined)[] = [];
    for (let n = 0; n < 5; n++) verdicts.push(await audited(whose, 0.5, budget));
    expect(verdicts.filter((verdict) => verdict === "good")).toHaveLength(made);
  }
  const left = new Budget(0.1, 10);
  left.earn(60); // one look of the veterans' half, and what may be owed of all
  expect(await audited("veteran", -0.5, left)).toBe("bad");
  expect(await audited("stranger", -0.5, left)).toBeUndefined();
});

test("A25: what a roll-back's audits cost leaves a debt that is soon earned; unbounded, the control, garbage goes unaudited", () => {
  const budget = new Budget(0.1, 100);
  for (let i = 0; i < 96; i++) budget.charge(20, "veteran");
  expect(budget.spent).toBe(1_920);
  budget.earn(100); // what was ahead is paid back, and then a debt of 2.5, of half of a tenth
  expect(budget.spend(1, "veteran")).toBe(false);
  budget.earn(140);
  expect(budget.spend(1, "veteran")).toBe(true);
  expect(1_920 - 0.05 * 240, "the control: that much would be owed still").toBeGreaterThan(1_900);
  expect(budget.spend(10, "stranger")).toBe(true); // strangers' audits wait for none of it
});

test("over a run's life audits cost no more than their share; without paying back, the control, all that came before beside it", () => {
  const [share, ahead] = [0.08, 1_000];
  const budget = new Budget(share, 0, ahead);
  let earned = 0;
  let least = Number.POSITIVE_INFINITY;
  for (; earned < 1_000_000; earned += 100) {
    const before = budget.spent;
    while (budget.spend(1, "stranger") || budget.spend(1, "veteran")) {}
    // Nobody waits for ever meanwhile: a quarter of the share is there at any time.
    if (earned > 0) least = Math.min(least, budget.spent - before);
    budget.earn(100);
  }
  expect(budget.spent / earned).toBeLessThan(share + 0.0001);
  expect(budget.spent / earned).toBeGreaterThan(share - 0.001);
  expect(least).toBeGreaterThanOrEqual(1);
  expect((1.5 * ahead + share * earned) / earned).toBeGreaterThan(share + 0.001);
});

test("A14: what must be spent comes out of the share once what was allowed before is paid back; before that, the control, on top of it", () => {
  const [share, least] = [0.08, 1_000];
  const spentAfter = (earned: number) => {
    const budget = new Budget(share, 0, least);
    budget.earn(earned);
    while (budget.spend(1, "stranger") || budget.spend(1, "veteran")) {}
    for (const half of ["stranger", "veteran"] as const) budget.charge(least / 4, half);
    return budget.spent / (share * earned);
  };
  const paidBack = (2 * 1.25 * least) / (0.75 * share);
  expect(spentAfter(paidBack)).toBeLessThanOrEqual(1);
  expect(spentAfter(paidBack)).toBeGreaterThan(0.999); // nothing is kept from audits for longer than it takes
  expect(spentAfter(paidBack / 2)).toBeGreaterThan(1.1);
});

test("A14: once what was allowed before is paid back no training before blame takes audits beyond their share; forgiven beyond a debt, the control, it does", async () => {
  const [share, batch, ticket] = [0.08, 128, 640];
  const paidBack = (2.5 * freshCost(5, batch, 2 * batch)) / (0.75 * share); // a fresh ticket is a third as long
  const worst = async (seed: number, owed: boolean) => {
    const random = new Random(seed);
    const budget = firstBudget(share, { tokens: ticket, batchTokens: batch, freshPart: 1 / 3 });
    const cost = (look: Look) => lookCost(look, batch, ticket, false);
    let most = 0;
    for (let earned = ticket; earned < 2 * paidBack; earned += ticket) {
      budget.earn(ticket);
      if (random.unit() < 0.3) budget.spendFirst(batch * (1 + random.below(8)));
      const whose = HALVES[random.below(2)]!;
      const purse = purseOf(budget, whose, cost);
      const forgiving: Purse = {
        ...purse,
        pay: (looks) => (looks[0]!.own ? budget.charge(cost(looks[0]!), whose) >= 0 : purse.pay(looks)),
      };
      const told = evidence(random.unit() < 0.5 ? 0.5 : -0.5, 0.3);
      await lookInto(
        async () => told,
        owed ? purse : forgiving,
        (about) => verdictOf(about, 5, trust),
        "unknown",
      );
      if (earned >= paidBack) most = Math.max(most, budget.spent / earned);
    }
    return most;
  };
  for (let seed = 1; seed <= 20; seed++) {
    const most = await worst(seed, true);
    expect(most).toBeLessThanOrEqual(share);
    expect(most).toBeGreaterThan(0.9 * share); // and what may be spent is
  }
  expect(await worst(1, false)).toBeGreaterThan(share);
});

test("a run begins with five audits of its fresh tickets as they are, a third as long as others where volunteers audit", () => {
  const [tokens, batchTokens] = [640, 128];
  const begins = (freshPart?: number) => {
    const budget = firstBudget(0.08, { tokens, batchTokens, freshPart });
    let most = 0;
    while (budget.spend(1, "stranger")) most += 1;
    return most;
  };
  expect(begins()).toBe(Math.floor(freshCost(5, batchTokens, tokens)));
  expect(begins(1 / 3)).toBe(Math.floor(freshCost(5, batchTokens, 2 * batchTokens)));
  expect(begins(1 / 3)).toBeLessThan(0.6 * begins());
});

test("what looks at whole versions comes before single audits; paid like those, the control, it waits", () => {
  const budget = new Budget(0.1, 100); // 10 and 5, and debts of 2.5
  while (budget.spend(1, "stranger") || budget.spend(1, "veteran")) {}
  expect(budget.spendOf(["veteran", "stranger"], 1)).toBeUndefined();
  expect([1, 2, 3].map(() => budget.spendFirst(1))).toEqual([true, true, false]);
  expect(budget.spent).toBe(17);
});

test("what is given back of a charge beyond the largest debt was never owed", () => {
  const budget = new Budget(0.1, 100); // 10 for strangers, and a debt of 2.5
  const purse = purseOf(budget, "stranger", ({ batches }) => batches, true);
  const [first, second] = [10, 30].map((batches) => ({ batches, own: false })) as [Look, Look];
  expect(purse.pay([first, second])).toBe(true);
  purse.refund(second);
  expect(budget.spent).toBe(10);
  expect(budget.spend(1, "stranger")).toBe(false);
});

test("what a roll-back costs beyond the largest debt takes back nothing that is owed", () => {
  const budget = new Budget(0.1, 100);
  budget.owe(40, "stranger");
  budget.charge(20, "stranger"); // none of it is owed
  budget.earn(700); // 32.5 allowed, what was ahead being paid back and a debt laid by
  expect(budget.spend(1, "stranger")).toBe(false);
});

test("what one audit was forgiven is not taken from what another gets back", () => {
  const budget = new Budget(0.1, 100);
  budget.charge(40, "stranger"); // 27.5 beyond the debt, so that 12.5 are owed
  budget.earn(1_000); // 47.5 for strangers, what was ahead being paid back and a debt laid by
  const purse = purseOf(budget, "stranger", ({ batches }) => batches);
  const [first, second] = [10, 20].map((batches) => ({ batches, own: false })) as [Look, Look];
  expect(purse.pay([first, second])).toBe(true);
  purse.refund(second);
  expect([budget.spend(25, "stranger"), budget.spend(1, "stranger")]).toEqual([true, false]);
});

test("a trusted volunteer's suspect is audited though strangers used up their half; out of that alone, the control, it is not", () => {
  const budget = new Budget(0.1, 100);
  while (budget.spend(1, "stranger")) {}
  const look = { batches: 1, own: false };
  expect(purseOf(budget, "stranger", () => 2).pay([look])).toBe(false);
  const purse = purseOf(budget, "either", () => 2);
  expect([purse.pay([look]), purse.pay([look]), purse.pay([look])]).toEqual([true, true, false]); // of 5
  purse.refund(look);
  expect(budget.spend(3, "veteran")).toBe(true); // given back where it came from
});

test("a run of short tickets begins with fresh tickets' audits; on tickets ahead alone, the control, it has none", async () => {
  const [batch, ticket] = [768, 1_536]; // the default run's first tickets: two steps of six sequences
  const audits = async (budget: Budget) => {
    const good = (fresh: boolean) =>
      lookInto(
        async () => evidence(0.5, 0.3),
        purseOf(budget, "stranger", (look) => lookCost(look, batch, ticket, fresh)),
        (about) => verdictOf(about, 5, trust),
        "lately",
      );
    const verdicts: (string | undefined)[] = [];
    for (const fresh of [false, true, true, true]) {
      budget.earn(ticket);
      verdicts.push((await good(fresh))?.verdict);
    }
    return verdicts;
  };
  const ahead = 40 * ticket;
  expect(await audits(new Budget(0.08, ahead, freshCost(4, batch, ticket)))).toEqual(Array(4).fill("good"));
  expect(await audits(new Budget(0.08, ahead))).toEqual(["good", undefined, undefined, undefined]);
  expect(new Budget(0, ahead, freshCost(4, batch, ticket)).spend(1, "stranger")).toBe(false);
});
