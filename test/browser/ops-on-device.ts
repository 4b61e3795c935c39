import { expect } from "vitest";
import type { Op, Slot } from "../../model/engine/ops.ts";
import type { Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import type { Tuning } from "../../model/engine/webgpu/lower.ts";
import { type Rates, SLOWEST } from "../../model/engine/webgpu/pace.ts";
import { type Arenas, applyOp, relative } from "../ops-reference.ts";
import type { modulePage } from "./module-page.ts";
import type { SeededArenas } from "./seeded-arenas.ts";

export const PLAIN: Tuning = tuning(1, 4, { kind: "register", m: 4, n: 4, depth: 8, down: 4, across: 4 });
export const WIDE: Tuning = tuning(64, 1, { kind: "shared", m: 4, n: 4, depth: 16, down: 8, across: 8 });

export function tuning(lanes: 1 | 64, each: 1 | 2 | 4, tile: Tile, quads = false): Tuning {
  return { rows: { lanes }, heads: { each, quads }, tiles: { NN: tile, NT: tile, TN: tile } };
}

/** Runs ops on the device and in doubles; each named slot must come out the same. */
export async function expectSame(
  { page }: ReturnType<typeof modulePage>,
  seeded: SeededArenas,
  ops: Op[],
  slots: Slot[],
  how: Tuning,
  rows = 1e6,
  rates: Rates = SLOWEST.software,
  /** What the device gets, if not the same. */
  run: readonly Op[] = ops,
) {
  const scale = 0.25;
  const { arenas } = seeded;
  const got = await page.evaluate(
    (job) => globalThis.engine.runOps(job.ops, job.arenas, job.how, job.dynamics, job.rows, job.rates),
    {
      ops: run,
      arenas,
      how,
      rows,
      rates,
      dynamics: { lossScale: scale, rate: 0, correction1: 1, correction2: 1 },
    },
  );
  const exact = Object.fromEntries(
    Object.entries(arenas).map(([name, values]) => [name, Float64Array.from(values)]),
  ) as Arenas;
  for (const op of ops) applyOp(op, exact, scale);
  for (const { arena, offset, length } of slots)
    expect(relative(got[arena]!, exact[arena], offset, length)).toBeLessThan(1e-5);
  return got;
}
