import { expect, test } from "vitest";
import type { Contestant, Job, Turn } from "../bench/engine/job.ts";
import { muonCounts } from "../bench/engine/muon-counts.ts";
import { GROUP_NAMES, planRaces } from "../bench/engine/plan.ts";
import { rowsOf, type Taken } from "../bench/engine/rows.ts";
import { openPeak } from "../client/benchmark/fma-peak.ts";
import { bytesOf, flopsOf } from "../model/engine/flops.ts";

const losses = [5.5, 5.4, 5.3, 5.2];

function taken(contestant: Contestant, turn: Partial<Turn>): Taken {
  const job: Job = { config: "small", device: "wasm", contestant, threads: 1, warmups: 1, steps: 3 };
  const times = [1000, 10, 30, 20];
  return { job, turn: { detail: "", losses, times, dispatches: 46, peak: null, ...turn } };
}

const outcome = (...turns: Taken[]) => {
  const jobs = turns.map(({ job }) => job);
  return rowsOf({ config: "small", device: "wasm", runtime: "node", jobs }, "Node", turns);
};

test("a ratio is of medians, and no warm-up counts", () => {
  const peer = taken("jax-js", { times: [9, 100, 40, 60] });
  const [row] = outcome(taken("ours", {}), peer).rows;
  expect(row).toMatchObject({ parity: true, ratioToJaxJs: 3, ratioToTfjs: null, tokensPerSecond: 12_800 });
});

test("a contestant's turns are one sample", () => {
  const again = taken("ours", { times: [1, 40, 40, 40] });
  const [row] = outcome(taken("ours", {}), again, taken("jax-js", { times: [0, 70, 70, 70] })).rows;
  expect(row!.ratioToJaxJs).toBe(2); // 10 20 30 40 40 40
});

test.each([
  ["within", [5.50009, 5.4009, 5.3, 5.2], true],
  ["at step 0", [5.5002, 5.4, 5.3, 5.2], false],
  ["later", [5.5, 5.4, 5.3, 5.2011], false],
  ["not a number", [5.5, 5.4, Number.NaN, 5.2], false],
])("prints no ratio to a peer that learns something else: %s", (_, theirs, parity) => {
  const [row] = outcome(taken("ours", {}), taken("jax-js", { losses: theirs }), taken("tfjs", {})).rows;
  expect(row).toMatchObject({ parity, ratioToJaxJs: parity ? 1 : null, ratioToTfjs: parity ? 1 : null });
});

test("without a peer there is no parity", () => {
  expect(outcome(taken("ours", {})).rows[0]!.parity).toBe(false);
});

test("the fraction of peak is the step's FLOP a second over the thread's", () => {
  const shape = { layers: 2, heads: 4, width: 64, context: 64, vocabulary: 256 };
  const [row] = outcome(taken("ours", { peak: flopsOf(shape, 4) * 100 }), taken("jax-js", {})).rows;
  expect(row!.fractionOfPeak).toBe(0.5); // 50 steps a second
});

test("a step moves at least its gradients, moments and weights", () => {
  const shape = { layers: 1, heads: 2, width: 8, context: 4, vocabulary: 16 };
  const wider = { ...shape, vocabulary: 32 };
  const grows = bytesOf(wider, 4) - bytesOf(shape, 4);
  expect(grows).toBeGreaterThan(5 * 16 * 8 * 4); // x, g, m and v in AdamW, g in the norm
});

test("a step's FLOP, counted by hand", () => {
  const [C, T, V, H] = [8, 4, 16, 2];
  const R = 4 * T; // the bench's batch is 4
  const matrices = 3 * C * C + C * C + 8 * C * C + V * C; // one layer's weights, and the head
  const attention = 6 * 2 * (C / H) * ((4 * H * T * (T + 1)) / 2);
  const shape = { layers: 1, heads: H, width: C, context: T, vocabulary: V };
  expect(flopsOf(shape, 4)).toBe(3 * 2 * R * matrices + attention);
});

test("every race ends as it began, backwards, and one group can be had alone", () => {
  expect(planRaces([], false).length).toBeGreaterThan(planRaces(["small/webgpu"], false).length);
  const [race, ...others] = planRaces(["small/webgpu"], false);
  expect(others).toEqual([]);
  expect(race!.jobs.map(({ contestant }) => contestant)).toEqual([
    "ours",
    "jax-js",
    "tfjs",
    "jax-js",
    "ours",
  ]);
  expect(GROUP_NAMES).toContain("large/wasm");
});

test("the peak kernel is valid and measures something", async () => {
  const measure = await openPeak();
  expect(measure?.()).toBeGreaterThan(1e8);
});

test.each([
  { layers: 2, heads: 4, width: 64, context: 64, vocabulary: 256 },
  { layers: 4, heads: 4, width: 128, context: 128, vocabulary: 256 },
])(
  "Newton–Schulz is at most a fifth of a step's arithmetic at a run's default batch, and more with one sequence: %o",
  (shape) => {
    const share = (batch: number) => 1 - flopsOf(shape, batch) / flopsOf(shape, batch, "muon");
    expect(share(16)).toBeLessThanOrEqual(0.2);
    expect(share(1)).toBeGreaterThan(0.2);
  },
);

test("Muon's dispatches and bytes on WebGPU are counted beside AdamW's; symmetric products whole cost more", () => {
  const S = { layers: 2, heads: 4, width: 64, context: 64, vocabulary: 256 };
  const M = { layers: 4, heads: 4, width: 128, context: 128, vocabulary: 256 };
  expect(muonCounts(S, 4).dispatches).toEqual({ adamW: 41, muon: 77 });
  expect(muonCounts(M, 4).dispatches).toEqual({ adamW: 71, muon: 107 });
  for (const shape of [S, M]) {
    const shares = [4, 8, 16].map((batch) => muonCounts(shape, batch));
    for (const { flopShare, webgpuShare, bytes } of shares) {
      expect(webgpuShare).toBeGreaterThan(flopShare);
      expect(bytes.muon).toBeGreaterThan(bytes.adamW);
    }
    expect(shares.map(({ flopShare }) => flopShare)).toEqual(
      shares.map(({ flopShare }) => flopShare).toSorted((a, b) => b - a),
    );
    expect(shares[2]!.webgpuShare).toBeLessThan(0.2); // a run's default with Muon inside
  }
});

test("of a step's bytes Muon's matrices leave AdamW's part and take their own", () => {
  const shape = { layers: 1, heads: 1, width: 8, context: 4, vocabulary: 16 };
  const moved = bytesOf(shape, 4, "muon") - bytesOf(shape, 4, "adamw");
  const [square, wide] = [4 * 8 * 8, 2 * 8 * 32]; // q, k, v and the projection; the MLP's two
  const turned = 6 * (square + wide) + 5 * (3 * (square + wide) + 4 * 6 * 8 * 8);
  expect(moved).toBe(4 * (turned - 4 * (square + wide)));
});
