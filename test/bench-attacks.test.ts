import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { BOUNDS, heldBy } from "../bench/attacks/bounds.ts";
import { crowdRows } from "../bench/attacks/clock-table.ts";
import type { Outcome } from "../bench/attacks/job.ts";
import { Results } from "../bench/attacks/results.ts";
import { reportOf } from "../bench/attacks/rows.ts";
import { tablesOf, withTables } from "../bench/attacks/tables.ts";

const at = (path: string) => join(import.meta.dirname, "..", path);
const document = await readFile(at("docs/SECURITY.md"), "utf8");

test("SECURITY.md's tables of attacks are those of the results that are kept", async () => {
  const results = await Results.open(at("bench/results/attacks.jsonl"));
  expect(results.all.length).toBeGreaterThan(60);
  expect(withTables(document, tablesOf(results))).toBe(document);
});

test("the tables have their places: a document without one is refused", () => {
  expect(() => withTables("# Nothing", new Map([["bounds", "| a |"]]))).toThrow(/no place/);
  const written = withTables("<!-- bench attacks: a -->\nold\n<!-- / -->\nend", new Map([["a", "| new |"]]));
  expect(written).toBe("<!-- bench attacks: a -->\n\n| new |\n\n<!-- / -->\nend");
});

const job = {
  rule: "default",
  attack: undefined,
  fraction: 0,
  sharding: "skewed",
  seed: 1,
  volunteers: 10,
  tokens: 1_000,
} as const;
const sent = (volunteers: number, credit: number, refused = 0) => ({
  volunteers,
  deltas: 100,
  refused,
  credit,
});
const outcome = (changes: Partial<Outcome> & Pick<Outcome, "job">): Outcome => ({
  loss: 2,
  versions: 10,
  rollbacks: 0,
  honest: sent(8, 800),
  attackers: sent(2, 0),
  auditShare: 0.05,
  agreement: { honest: [], attackers: [] },
  verdicts: {},
  backdoorPercent: 0,
  seconds: 1,
  ...changes,
});
const clean = [
  outcome({ job: { ...job, rule: "mean" } }),
  outcome({ job: { ...job, rule: "mean", volunteers: 8 } }),
];
const attacked = (attack: Outcome["job"]["attack"], changes: Partial<Outcome>) =>
  outcome({ ...changes, job: { ...job, attack, fraction: 0.2 } });

describe("crowds on a clock", () => {
  const crowd = { ...job, volunteers: 16, rounds: "clock" } as const;
  const by = { attack: "noise", fraction: 0.2 } as const;
  const runs = [
    outcome({ job: { ...crowd, volunteers: 13 }, loss: 2 }),
    outcome({ job: { ...crowd, volunteers: 13, rule: "mean" }, loss: 4 }),
    outcome({ job: { ...crowd, ...by }, loss: 2.1, crowds: 9 }),
    outcome({ job: { ...crowd, ...by, rule: "mean" }, loss: 6 }),
  ];

  it("are measured against the honest alone under the same rule, and apart from runs on turns", () => {
    const [row, ...others] = crowdRows([...clean, ...runs]);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ attack: "noise", loss: 2.1, versions: 10, crowds: 9 });
    expect(row!.gap).toBeCloseTo(5);
    expect(row!.meanGap).toBeCloseTo(50);
    expect(crowdRows(clean)).toEqual([]);
  });

  it("leave the tables of runs on turns as they are", () => {
    const of = (all: readonly Outcome[]) => tablesOf({ all, audits: undefined, commits: [] }).get("short");
    const turns = [...clean, attacked("zeros", {})];
    expect(of([...turns, ...runs])).toBe(of(turns));
  });
});

describe("the grid by its parts", () => {
  const at30 = { ...job, fraction: 0.3, seed: 2 } as const;
  const part = [
    outcome({ job: { ...job, seed: 2, rule: "mean", volunteers: 7 } }),
    outcome({ job: { ...job, seed: 2, rule: "mean" } }),
    outcome({ job: { ...at30, attack: "zeros" }, loss: 2.1 }),
    outcome({ job: { ...at30, attack: "guarded, opposed" }, loss: 2.2 }),
    outcome({ job: { ...at30, attack: "noise", rule: "mean" }, loss: 3 }),
  ];
  const rows = (...all: readonly Outcome[]) =>
    tablesOf({ all, audits: undefined, commits: [] }).get("grid")!.split("\n").slice(2);

  it("has a row for what was run of each text, fraction and seed, under the default rule, with what it misses", () => {
    expect(rows(...clean, attacked("zeros", {}), ...part)).toEqual([
      "| skewed | 20% | 1 | 1 | 0 (zeros) |  | 0 | 5 | nothing |",
      "| skewed | 30% | 2 | 2 | +10.0 (guarded, opposed) | 0 (guarded, opposed) | 0 | 5 | loss guarded, opposed: 10 |",
    ]);
  });

  it("leaves the table of one seed as it is, while the table of what is asked has the mean of seeds", () => {
    const second = [
      ...part.slice(1, 2),
      outcome({ job: { ...job, seed: 2, rule: "mean", volunteers: 8 } }),
      outcome({ job: { ...job, seed: 2, attack: "zeros", fraction: 0.2 }, loss: 2.4 }),
    ];
    const one = [...clean, attacked("zeros", { loss: 2.02 })];
    const tables = (all: readonly Outcome[]) => tablesOf({ all, audits: undefined, commits: [] });
    expect(tables([...one, ...second]).get("short")).toBe(tables(one).get("short"));
    expect(tables([...one, ...second]).get("bounds")).toContain("| 10.5 | zeros, skewed, 2 seeds |");
  });
});

describe("what is asked of the default rule", () => {
  const heldWith = (...outcomes: readonly Outcome[]) =>
    heldBy(reportOf([...clean, ...outcomes]), []).map(({ asked, missing }) => [asked, missing] as const);
  const missed = (...outcomes: readonly Outcome[]) =>
    heldWith(...outcomes).flatMap(([asked, missing]) => missing.map(({ where }) => `${asked}: ${where}`));

  it("is held by a run where an attack does nothing and earns nothing", () => {
    expect(missed(attacked("under-training", {}))).toEqual([]);
  });

  it.each<[string, Outcome, RegExp]>([
    ["a loss", attacked("zeros", { loss: 2 * (1 + (BOUNDS.lossAt20 + 1) / 100) }), /^loss/],
    ["a free rider's credit", attacked("zeros", { attackers: sent(2, 40) }), /^credit of free riders/],
    ["the credit of who is to be found", attacked("guarded", { attackers: sent(2, 100) }), /to be found/],
    ["lost honest work", attacked("zeros", { honest: sent(8, 800, 3) }), /^honest deltas lost under/],
    ["dear audits", attacked("zeros", { auditShare: 0.09 }), /^audits in these runs/],
  ])("is missed by %s that is too large, and by nothing else", (_, run, asked) => {
    const lines = missed(run);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(asked);
  });

  it("says so where nothing of the kind was measured", () => {
    const [, at30] = heldBy(reportOf(clean), []);
    expect(at30).toMatchObject({ worst: undefined, missing: [] });
  });
});
