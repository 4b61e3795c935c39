import { expect, test } from "vitest";
import type { ModelShape } from "../model/contract/config.ts";
import { layoutOf } from "../model/contract/layout.ts";
import type { DeviceNeeds } from "../model/engine/device-needs.ts";
import type { AdamWStep, Arena, Norm, Op } from "../model/engine/ops.ts";
import { slotsOf } from "../model/engine/plan.ts";
import { type Recompute, selective } from "../model/engine/recompute.ts";
import { deltaOp, type TrainingSchedule, trainingSchedule } from "../model/engine/schedule.ts";
import { writeBatch } from "../model/engine/tokens.ts";
import { mapMemory, needsOf, WasmDevice } from "../model/engine/wasm/device.ts";
import { hasFma, loadKernels } from "../model/engine/wasm/kernels.ts";
import { Random } from "../model/lib/random.ts";
import { type Arenas, applyOp, relative } from "./ops-reference.ts";

/** Every op of a training step by itself: both builds and doubles start from the same bytes each time. */

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const dynamics = { lossScale: 0.125, rate: 0.01, correction1: 0.1, correction2: 0.01 };
const batch = 2;

/** Sizes off every tile (6 × 8, 4 × 8) and across every block (48, 96 and 256); heads of 3, 8, 12, 24 and 32. */
const shapes = [
  { layers: 1, heads: 2, width: 24, context: 17, vocabulary: 261 },
  { layers: 1, heads: 2, width: 16, context: 51, vocabulary: 13 },
  { layers: 1, heads: 3, width: 9, context: 5, vocabulary: 31 },
  { layers: 1, heads: 1, width: 24, context: 7, vocabulary: 515 },
  { layers: 1, heads: 1, width: 32, context: 11, vocabulary: 20 },
  { layers: 1, heads: 1, width: 8, context: 258, vocabulary: 9 },
];

/**
 * Rows of logits are dense on this device; but it does what the op says, too, where they are padded. Of the second shape, 64 rows
 * are looked at at a time, and then 38.
 */
const cases = [
  ...shapes.map((shape) => [{}, shape] as const),
  ...shapes.slice(0, 2).map((shape) => [{ rowAlignment: 4, logits: 64 * 16 }, shape] as const),
  ...shapes.slice(1, 3).map((shape) => [{}, shape, selective] as const),
];

test.each(cases)(
  "each op of a step does what its docstring says, with %o: %o",
  async (wants, shape, again?) => {
    const builds = await Promise.all(
      [false, true].filter((fma) => !fma || hasFma()).map((fma) => open(shape, wants, fma, again)),
    );
    const { schedule, device } = builds[0]!;
    const state = randomArenas(shape, device, schedule);
    const { first, more, update } = schedule;
    const adding = more.filter((op, i) => op !== first[i]);

    for (const op of [...first, ...adding, deltaOp(shape)]) {
      const expected = toDoubles(state);
      applyOp(op, expected, dynamics.lossScale);
      for (const build of builds.toReversed()) {
        run(build.device, op, state);
        for (const slot of slotsOf(op)) {
          if ("saved" in op && slot === op.saved) continue; // the device's own affair
          const got = build.device.floats(slot);
          const exact = expected[slot.arena].subarray(slot.offset, slot.offset + slot.length);
          if (slot.arena !== "tokens")
            expect(relative(got, exact), `${nameOf(op)} ${slot.arena}`).toBeLessThan(3e-6);
        }
      }
      keep(device, state);
    }
    const [norm, adamw] = update;
    if (norm?.op !== "norm" || adamw?.op !== "adamw") throw new Error("an update is a norm and AdamW");
    expectUpdate(device, norm, adamw, state);
  },
);

interface Build {
  readonly schedule: TrainingSchedule;
  readonly device: WasmDevice;
}

async function open(
  shape: ModelShape,
  wants: Partial<DeviceNeeds>,
  fma: boolean,
  again?: Recompute,
): Promise<Build> {
  const kernels = await loadKernels(fma);
  const schedule = trainingSchedule(shape, batch, optimizer, { ...needsOf(kernels), ...wants }, again);
  const { length } = layoutOf(shape);
  const vectors = { parameters: length, optimizing: length, squares: length };
  const device = new WasmDevice(kernels, mapMemory(kernels.heapBase(), vectors, schedule.arenas));
  device.dynamics = dynamics;
  return { schedule, device };
}

type State = Record<Exclude<Arena, "tokens">, Float32Array> & { tokens: Uint32Array };
const FLOATS = ["parameters", "gradients", "m", "v", "loaded", "residual", "activations"] as const;

function randomArenas(shape: ModelShape, device: WasmDevice, { arenas, tokens }: TrainingSchedule): State {
  const random = new Random(5);
  const values = (length: number) => Float32Array.from({ length }, () => random.unit() - 0.5);
  const { length } = layoutOf(shape);
  const integers = device.tokens(arenas.tokens);
  const text = values(batch * (shape.context + 1)).map((x) => Math.floor((x + 0.5) * shape.vocabulary));
  writeBatch(integers, tokens, Uint16Array.from(text), 0, shape.context, true);
  const flat = { parameters: values(length), gradients: values(length), m: values(length) };
  const rest = { v: values(length).map(Math.abs), loaded: values(length), residual: values(length) };
  return { ...flat, ...rest, activations: values(arenas.activations), tokens: integers.slice() };
}

function run(device: WasmDevice, op: Op, state: State): void {
  for (const arena of FLOATS)
    device.floats({ arena, offset: 0, length: state[arena].length }).set(state[arena]);
  device.tokens(state.tokens.length).set(state.tokens);
  device.compile([op])();
}

/** Makes what the device now holds the state that the next op starts from. */
function keep(device: WasmDevice, state: State): void {
  for (const arena of FLOATS)
    state[arena].set(device.floats({ arena, offset: 0, length: state[arena].length }));
}

function toDoubles(state: State): Arenas {
  const entries = Object.entries(state).map(([arena, values]) => [arena, Float64Array.from(values)]);
  return Object.fromEntries(entries) as Arenas;
}

function expectUpdate(device: WasmDevice, norm: Norm, adamw: AdamWStep, state: State): void {
  run(device, norm, state);
  const squares = state.gradients.reduce((sum, g) => sum + g * g, 0);
  expect(device.floats(norm.partials)[0]! / squares).toBeCloseTo(1, 5);
  state.activations[norm.partials.offset] = squares;
  run(device, adamw, state);
  const [x, m, v] = [adamw.parameters, adamw.m, adamw.v].map((slot) => device.floats(slot));
  for (const { offset, length, decays } of adamw.segments)
    for (let i = offset; i < offset + length; i++) {
      const g = state.gradients[i]! / Math.max(1, Math.sqrt(squares));
      const mean = 0.9 * state.m[i]! + 0.1 * g;
      const square = 0.99 * state.v[i]! + 0.01 * g * g;
      const kept = state.parameters[i]! * (decays ? 1 - 0.01 * 0.1 : 1);
      expect(m![i]).toBeCloseTo(mean, 6);
      expect(v![i]).toBeCloseTo(square, 6);
      if (square > 1e-3)
        expect(x![i]).toBeCloseTo(kept - (0.01 * mean) / 0.1 / (Math.sqrt(square / 0.01) + 1e-8), 5);
    }
}

const nameOf = (op: Op) => (op.op === "gemm" ? `gemm ${op.mode} ${op.m}×${op.n}×${op.k}` : op.op);
