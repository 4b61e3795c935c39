import { describe, expect, test } from "vitest";
import { benchCrowds } from "../bench/learning/crowd-bench.ts";
import { planCrowds, planReferences, type WantedCrowds } from "../bench/learning/crowd-plan.ts";
import { type Crowd, crowdsOf, tableOfCrowds } from "../bench/learning/crowds.ts";
import type { BoundJob, CrowdJob, Job, Outcome, Point } from "../bench/learning/job.ts";
import { isCurrent } from "../bench/learning/plan.ts";
import { evenMachines, machineOfMeans } from "../bench/learning/scenarios.ts";
import { crossingOf, MAX_GAP, TargetCurve } from "../bench/learning/target-curve.ts";
import { Random } from "../model/lib/random.ts";

const at = (ms: number, loss: number): Point => ({
  tokens: 10 * ms,
  version: ms,
  ms,
  bytesUp: 0,
  bytesDown: 0,
  loss,
});

/** Offers a version every `every` ms up to `last`; the loss of a version is `lossAt` its time. */
async function runCurve(
  targets: readonly (number | "end")[],
  lossAt: (ms: number) => number,
  every: number,
  last: number,
) {
  let measured = 0;
  const curve = new TargetCurve(targets, async (weights) => {
    measured++;
    return lossAt(weights[0]!);
  });
  let ms = 0;
  const next = () => {
    const { loss: _, ...version } = at(ms, 0);
    return [version, Float32Array.of(ms)] as const;
  };
  for (ms = every; ms <= last && !curve.reached; ms += every) await curve.offer(...next());
  if (ms > last) {
    ms = last;
    await curve.end(...next());
  }
  return { curve, measured };
}

const falling = (ms: number): number => 5 - Math.log10(ms);

describe("a curve around its targets", () => {
  test("has points within three hundredths of the time around each of them, and few elsewhere", async () => {
    const { curve, measured } = await runCurve([1.97, 1.4], falling, 1, 10_000);
    expect(curve.reached).toBe(true);
    for (const target of [1.97, 1.4]) {
      const crossing = crossingOf(curve.points, target)!;
      expect(crossing.gap).toBeLessThanOrEqual(MAX_GAP);
      expect(Math.abs(crossing.ms / 10 ** (5 - target) - 1)).toBeLessThan(0.001);
    }
    expect(measured).toBe(curve.points.length);
    expect(measured).toBeLessThan(60); // of 3,981 versions
    const times = curve.points.map(({ ms }) => ms);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("finds the first of two targets that one stride crosses as closely as the second", async () => {
    const cliff = (ms: number): number => (ms < 1_000 ? 3 : ms < 1_050 ? 1.9 : 1.3);
    const { curve } = await runCurve([1.97, 1.4], cliff, 1, 10_000);
    expect(crossingOf(curve.points, 1.97)).toMatchObject({ ms: expect.closeTo(1_000, -2) });
    expect(crossingOf(curve.points, 1.4)).toMatchObject({ ms: expect.closeTo(1_050, -2) });
    for (const target of [1.97, 1.4])
      expect(crossingOf(curve.points, target)!.gap).toBeLessThanOrEqual(MAX_GAP);
  });

  test("tells a time between versions that lie too far apart for what it is", async () => {
    const { curve } = await runCurve([1.97], falling, 200, 10_000);
    const crossing = crossingOf(curve.points, 1.97)!;
    expect(crossing.gap).toBeGreaterThan(MAX_GAP);
  });

  test("ends with the last version where a target is never reached, or where the end is one", async () => {
    const short = await runCurve([1.4], falling, 1, 1_000);
    expect(short.curve.reached).toBe(false);
    expect(short.curve.points.at(-1)).toMatchObject({ ms: 1_000, loss: 2 });
    expect(crossingOf(short.curve.points, 1.4)).toBeUndefined();

    const whole = await runCurve([3, "end"], falling, 1, 1_000);
    expect(whole.curve.reached).toBe(false);
    expect(whole.curve.points.at(-1)).toMatchObject({ ms: 1_000, loss: 2 });
    expect(crossingOf(whole.curve.points, 3)!.gap).toBeLessThanOrEqual(MAX_GAP);
  });
});

test("a crossing lies between two points by a straight line, and is the first", () => {
  const points = [at(1_000, 4), at(2_000, 3), at(3_000, 1), at(4_000, 3), at(5_000, 1)];
  expect(crossingOf(points, 2)).toEqual({ ms: 2_500, tokens: 25_000, gap: 1 - 2 / 3 });
  expect(crossingOf(points, 4)).toEqual({ ms: 1_000, tokens: 10_000, gap: 1 });
  expect(crossingOf(points, 0.5)).toBeUndefined();
});

const wanted: WantedCrowds = {
  models: ["S"],
  scenarios: ["calm", "churn"],
  recipes: ["default", "turns"],
  volunteers: [1, 4],
  targets: ["early", "deep"],
  corpus: "sotu",
  seeds: 2,
  tokens: undefined,
};

/** An outcome whose loss falls to `loss` in `ms`. */
const outcome = (job: Job, ms: number, loss = 1): Outcome => ({
  job,
  curve: [at(1, 5), at(0.99 * ms, loss + 0.01), at(ms, loss)],
  loss,
  tokens: 1_000,
  versions: 10,
  bitsUp: 4,
  bitsDown: 3,
  bitsJoin: 1,
  goodput: 0.5,
  staleness: [1],
  refused: {},
  steps: 10,
  seconds: 1,
});

describe("the table of times", () => {
  test("asks the others for what one volunteer on turns ended at, seed by seed", async () => {
    const made: Job[] = [];
    const outcomes = await benchCrowds(wanted, async (jobs) => {
      made.push(...jobs);
      return jobs.map((job) => outcome(job, 100_000, job.seed === 1 ? 1.4 : 1.5));
    });
    expect(outcomes).toHaveLength(2 + 2 + 2 * (2 * 2 * 2 - 1));
    const [first, second, ...others] = made;
    for (const reference of [first, second]) {
      expect(reference).toMatchObject({ recipe: "turns", scenario: "calm", volunteers: 1 });
      expect(reference).toMatchObject({ targets: [1.97, "end"] });
    }
    for (const job of others) expect(job).toMatchObject({ targets: [1.97, job.seed === 1 ? 1.4 : 1.5] });
    expect(new Set(made.map((job) => JSON.stringify(job))).size).toBe(made.length);
  });

  test("asks for the deep target of model M only of 1 and 64 volunteers and one seed, and of 256 never", () => {
    const jobs = planCrowds({ ...wanted, models: ["S", "M"], volunteers: [1, 4, 64, 256] }, () => 1.2);
    const deep = jobs.filter(({ targets }) => targets.length === 2);
    const named = (model: string) =>
      new Set(deep.flatMap((job) => (job.model === model ? `${job.volunteers} seed ${job.seed}` : [])));
    expect([...named("M")].sort()).toEqual(["1 seed 1", "64 seed 1"]);
    expect([...named("S")].sort()).toEqual(
      ["1 seed 1", "1 seed 2", "4 seed 1", "4 seed 2", "64 seed 1", "64 seed 2"].sort(),
    );
  });

  test("gives few volunteers on a clock less text and crowds more, unless told how much; turns have what they had", () => {
    const tokensOf = (tokens: number | undefined, ...recipes: string[]) =>
      planCrowds(
        { ...wanted, recipes, tokens, scenarios: ["calm"], volunteers: [1, 4, 16, 64], seeds: 1 },
        () => 1.4,
      ).map((job) => job.tokens);
    expect(tokensOf(undefined, "default")).toEqual([2_883_584, 2_883_584, 4_194_304, 9_437_184]);
    expect(tokensOf(undefined, "turns")).toEqual([4_194_304, 4_194_304, 9_437_184]); // without the reference
    expect(tokensOf(1_000, "default")).toEqual([1_000, 1_000, 1_000, 1_000]);
  });

  test("asks for the early target alone without making whole runs", () => {
    const early = { ...wanted, targets: ["early"] as const };
    expect(planReferences(early).map(({ targets }) => targets)).toEqual([[1.97], [1.97]]);
    expect(planCrowds(early, () => undefined).every(({ targets }) => targets.length === 1)).toBe(true);
  });

  test("continues runs of its own settings, and repeats those of others", () => {
    const [job] = planReferences(wanted);
    expect(isCurrent(job!)).toBe(true);
    expect(isCurrent({ ...job!, settings: { ...job!.settings, crowd: 9 } })).toBe(false);
  });

  const crowd = (changes: Partial<CrowdJob>): CrowdJob => ({
    ...planReferences({ ...wanted, targets: ["early"] })[0]!,
    ...changes,
  });
  const bound = (seed: number): BoundJob => ({
    kind: "bound",
    model: "S",
    corpus: "sotu",
    tokens: 1_000,
    seed,
    rate: 0.01,
    targets: [1.97],
  });

  /** The only row of the crowd of four on the defaults. */
  const four = (outcomes: readonly Outcome[]): Crowd | undefined =>
    crowdsOf(outcomes).find(({ recipe, volunteers }) => recipe === "default" && volunteers === 4);

  test("compares means over the same seeds with one volunteer on turns, one on the same recipe, and the bound", () => {
    const row = four([
      outcome(crowd({ seed: 1 }), 200_000, 1.97),
      outcome(crowd({ seed: 2 }), 300_000, 1.97),
      outcome(crowd({ seed: 3 }), 999_000, 1.97), // a seed that four were not run with
      outcome(crowd({ seed: 1, recipe: "default" }), 120_000, 1.97),
      outcome(crowd({ seed: 2, recipe: "default" }), 180_000, 1.97),
      outcome(crowd({ seed: 1, recipe: "default", volunteers: 4 }), 40_000, 1.97),
      outcome(crowd({ seed: 2, recipe: "default", volunteers: 4 }), 60_000, 1.97),
      outcome(bound(1), 80_000, 1.97),
      outcome(bound(2), 100_000, 1.97),
    ]);
    expect(row).toMatchObject({ seconds: 50, speedUp: 5, speedUpOverOwn: 3, seeds: 2, reached: 2 });
    expect(row?.boundSeconds).toBeCloseTo(90 / 4, 9);
    expect(row).toMatchObject({ goodput: 0.5, bitsUp: 4, bitsDown: 3, coarse: false });
  });

  test("has no time where one of the seeds was not down to the loss, and says how many were", () => {
    const outcomes = [
      outcome(crowd({ seed: 1 }), 200_000, 1.97),
      outcome(crowd({ seed: 2 }), 200_000, 1.97),
      outcome(crowd({ seed: 1, recipe: "default", volunteers: 4 }), 40_000, 1.97),
      outcome(crowd({ seed: 2, recipe: "default", volunteers: 4 }), 40_000, 1.98),
    ];
    const row = four(outcomes);
    expect(row).toMatchObject({ seconds: null, speedUp: null, boundSeconds: null, seeds: 2, reached: 1 });
    expect(tableOfCrowds(crowdsOf(outcomes))).toContain("1 of 2");
  });

  test("marks a time between points that lie too far apart", () => {
    const job = crowd({ recipe: "default", volunteers: 4 });
    const apart = { ...outcome(job, 1), curve: [at(9_000, 3), at(10_000, 1)] };
    const crowds = crowdsOf([apart]);
    expect(crowds).toMatchObject([{ coarse: true, gap: expect.closeTo(0.1, 9) }]);
    expect(tableOfCrowds(crowds)).toContain("~9.5");
  });

  test("takes the end of one volunteer on turns for its time to the deep target", () => {
    const [job] = planReferences(wanted);
    const rows = crowdsOf([outcome(job!, 500_000, 1.4)]);
    expect(rows.map(({ target, seconds, speedUp }) => [target, seconds, speedUp])).toEqual([
      ["early", expect.any(Number), 1],
      ["deep", 500, 1],
    ]);
  });

  test("counts a seed once that was run for the early target, and then for both", () => {
    const early = outcome(crowd({}), 200_000, 1.97);
    const both = { ...outcome(planReferences(wanted)[0]!, 210_000, 1.97), versions: 100 };
    expect(crowdsOf([both, early]).map(({ target, seeds }) => [target, seeds])).toEqual([
      ["early", 1],
      ["deep", 1],
    ]);
  });
});

test("crowds of any size have machines of the same mean speed and link, and one is the mean", () => {
  const means = machineOfMeans();
  for (const count of [1, 4, 64]) {
    const machines = evenMachines(count, new Random(5));
    const mean = (of: (machine: (typeof machines)[number]) => number) =>
      machines.reduce((sum, machine) => sum + of(machine), 0) / count;
    expect(mean(({ flopsPerMs }) => flopsPerMs) / means.flopsPerMs).toBeCloseTo(1, 9);
    expect(mean(({ up }) => up) / means.up).toBeCloseTo(1, 9);
    expect(mean(({ down }) => down) / means.down).toBeCloseTo(1, 9);
  }
  const speeds = evenMachines(64, new Random(5)).map(({ flopsPerMs }) => flopsPerMs);
  expect(Math.max(...speeds) / Math.min(...speeds)).toBeGreaterThan(9);
  expect(speeds).not.toEqual(speeds.toSorted((a, b) => a - b));
});
