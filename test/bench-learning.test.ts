import { describe, expect, test } from "vitest";
import { VirtualClock } from "../bench/learning/clock.ts";
import type { Outcome, Point, SwarmJob, SyncJob } from "../bench/learning/job.ts";
import { planTables } from "../bench/learning/plan.ts";
import { plot } from "../bench/learning/plot.ts";
import { errorOf, rowsOf } from "../bench/learning/rows.ts";
import { homogeneous } from "../bench/learning/scenarios.ts";
import { stepMs } from "../bench/learning/step-time.ts";
import { DEFAULT_SETTINGS } from "../server/run/settings.ts";

test("virtual time goes from happening to happening, each finished before the next begins", async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(`${name} at ${clock.now}`);
  clock.after(30, note("late"));
  clock.after(10, async () => {
    await new Promise((resolve) => setImmediate(resolve));
    note("slow")();
    clock.after(5, note("follows"));
  });
  clock.after(10, note("second of the same time"));
  clock.after(20, note("between"));
  await clock.run(() => false);
  expect(seen).toEqual([
    "slow at 10",
    "second of the same time at 10",
    "follows at 15",
    "between at 20",
    "late at 30",
  ]);
});

test("a run ends when it is done, with what was still to come undone", async () => {
  const clock = new VirtualClock();
  let beats = 0;
  const beat = () => {
    beats++;
    clock.after(1, beat);
  };
  clock.after(1, beat);
  await clock.run(() => beats === 100);
  expect([beats, clock.now]).toEqual([100, 100]);
  expect(() => clock.after(-1, beat)).toThrow(RangeError);
});

const common = { model: "S", corpus: "sotu", tokens: 1_000, seed: 1 } as const;
const swarm: SwarmJob = {
  ...common,
  kind: "swarm",
  recipe: "default",
  scenario: "churn",
  settings: DEFAULT_SETTINGS,
};
const sync: SyncJob = { ...common, kind: "sync", optimizer: "adamw", rate: 1e-3 };
const outcome = (job: SwarmJob | SyncJob, loss: number, curve: Point[] = []): Outcome => ({
  job,
  curve,
  loss,
  tokens: 1_000,
  versions: 10,
  bitsUp: 4,
  bitsDown: 5,
  bitsJoin: 0,
  goodput: 0.5,
  staleness: [1],
  refused: {},
  steps: 10,
  seconds: 1,
});

test("a row pairs each seed with its own synchronous run, and leaves out a seed that has none", () => {
  const rows = rowsOf([
    outcome(sync, 2),
    outcome({ ...sync, seed: 2 }, 4),
    outcome({ ...sync, optimizer: "muon" }, 1.6),
    outcome(swarm, 2.02),
    outcome({ ...swarm, seed: 2 }, 4.12),
    outcome({ ...swarm, seed: 3 }, 99),
  ]);
  expect(rows).toHaveLength(1);
  const [row] = rows;
  expect(row).toMatchObject({ recipe: "default", scenario: "churn", model: "S", tokens: 1_000, seeds: 2 });
  expect(row?.loss).toBeCloseTo(3.07, 9);
  expect(row?.lossSync).toBe(3);
  // gaps of 1% and 3%
  expect(row?.gapPercent).toBeCloseTo(2, 9);
  expect(row?.gapError).toBeCloseTo(1, 9);
  expect(row?.lossMuon).toBe(1.6);
  expect(row?.gapMuonPercent).toBeCloseTo(26.25, 9);
});

test("one value has no standard error; more have", () => {
  expect(errorOf([1])).toBeNull();
  // deviations −1, 0, 1: variance 1, over three values
  expect(errorOf([1, 2, 3])).toBeCloseTo(1 / Math.sqrt(3), 12);
});

test("every swarm that is planned is paired with both synchronous runs of its seed", () => {
  const jobs = planTables({
    models: ["S"],
    scenarios: ["homogeneous", "sparse"],
    recipes: ["default"],
    corpus: "sotu",
    seeds: 2,
    muon: true,
    tokens: 1_000,
  });
  const names = jobs.map((job) => `${job.kind === "sync" ? job.optimizer : job.kind} ${job.seed}`);
  expect(names.toSorted()).toEqual(["adamw 1", "adamw 2", "muon 1", "muon 2", "swarm 1", "swarm 2"]);
});

test("a plot names its series and stays within its frame, with one point as with many", () => {
  const axes = { title: "a < b", x: "tokens", y: "loss" };
  const svg = plot(axes, [
    { name: "one & only", points: [[10, 2]] },
    {
      name: "line",
      points: [
        [0, 9],
        [10, 3],
        [1_000, 1],
      ],
    },
  ]);
  expect(svg).toContain("a &lt; b");
  expect(svg).toContain("one &amp; only");
  expect(svg).not.toContain("NaN");
  const [, points] = Array.from(svg.matchAll(/polyline points="([^"]*)"/g), (match) => match[1]);
  // the point at x = 0 has no place on a logarithmic axis
  expect(points?.split(" ")).toHaveLength(2);
  expect(plot(axes, [{ name: "flat", points: [[5, 1]] }])).not.toContain("NaN");
});

describe("what a step takes on the virtual clock", () => {
  const laptop = homogeneous();
  const S = { layers: 2, heads: 4, width: 64, context: 64, vocabulary: 256 };
  const M = { layers: 4, heads: 4, width: 128, context: 128, vocabulary: 256 };

  // Measured on the WASM engine, in steps of 4 sequences with AdamW: docs/LEARNING.md.
  test.each([
    ["S", S, "adamw", [0.32, 0.54, 1, 1.94, 4.1]],
    ["S", S, "muon", [0.96, 1.22, 1.67, 2.62, 4.62]],
    ["M", M, "adamw", [0.27, 0.51, 1, 1.97, 3.88]],
    ["M", M, "muon", [0.98, 1.21, 1.64, 2.69, 4.6]],
  ] as const)("is what was measured, to a ninth: %s, %s with %s", (_, shape, inner, measured) => {
    const usual = stepMs(laptop, shape, 4, "adamw");
    const ratios = [1, 2, 4, 8, 16].map((batch) => stepMs(laptop, shape, batch, inner) / usual);
    for (const [i, ratio] of ratios.entries()) expect(Math.abs(ratio / measured[i]! - 1)).toBeLessThan(1 / 9);
  });

  test("is 99 ms for model S with 4 sequences on a laptop, and half of it on a machine twice as fast", () => {
    expect(stepMs(laptop, S, 4, "adamw")).toBeCloseTo(99, 0);
    const twice = { ...laptop, flopsPerMs: 2 * laptop.flopsPerMs };
    expect(stepMs(twice, S, 4, "muon")).toBeCloseTo(stepMs(laptop, S, 4, "muon") / 2, 9);
  });
});
