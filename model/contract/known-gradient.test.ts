import { describe, expect, it } from "vitest";
import { oracleState, oracleStep } from "../../test/oracle/oracle.ts";
import { createReference } from "../reference/reference.ts";
import {
  checkTrainer,
  fingerprints,
  KNOWN_BATCH,
  KNOWN_DELTA,
  KNOWN_LOSS,
  KNOWN_OPTIMIZER,
  KNOWN_RATE,
  KNOWN_SHAPE,
  knownTokens,
  knownWeights,
} from "./known-gradient.ts";
import { layoutOf } from "./layout.ts";
import type { DeviceName, Trainer } from "./trainer.ts";

const layout = layoutOf(KNOWN_SHAPE);

/** The known step by the f64 oracle. */
function derive() {
  const weights = knownWeights();
  const state = oracleState(weights);
  const loss = oracleStep(KNOWN_SHAPE, state, KNOWN_OPTIMIZER, knownTokens(), KNOWN_BATCH, KNOWN_RATE);
  return { loss, delta: Float32Array.from(weights, (value, i) => value - state.weights[i]!) };
}

/** A device that answers with these numbers. */
function fake(loss: number, delta: Float32Array) {
  const disposed = { times: 0 };
  const trainer: Trainer = {
    report: { device: "webgpu", engine: "fast", detail: "fake", software: false },
    load: async () => {},
    step: async () => {},
    losses: async () => Float32Array.of(loss),
    delta: async () => delta,
    extract: () => Promise.reject(new Error("not asked for")),
    adjustResidual: () => Promise.reject(new Error("not asked for")),
    carried: () => Promise.reject(new Error("not asked for")),
    evaluate: () => Promise.reject(new Error("not asked for")),
    logits: () => Promise.reject(new Error("not asked for")),
    dispose: () => {
      disposed.times++;
    },
  };
  return { factory: async () => trainer, disposed };
}

describe("the known gradient", () => {
  it("is what the f64 oracle derives", () => {
    const { loss, delta } = derive();
    expect(Math.abs(loss / KNOWN_LOSS - 1)).toBeLessThan(1e-9);
    const derived = fingerprints(layout, delta);
    expect(KNOWN_DELTA).toHaveLength(derived.length);
    for (const [i, { norm, signed }] of derived.entries()) {
      expect(Math.abs(norm - KNOWN_DELTA[i]!.norm) / norm).toBeLessThan(1e-6);
      expect(Math.abs(signed - KNOWN_DELTA[i]!.signed) / norm).toBeLessThan(1e-6);
    }
  });

  it.each<DeviceName>(["wasm", "cpu"])("is met by the reference trainer on %s", async (backend) => {
    await checkTrainer((options) => createReference({ ...options, backend }));
  });

  it("passes a device that is right, and disposes of its trainer", async () => {
    const { loss, delta } = derive();
    const { factory, disposed } = fake(loss, delta);
    await checkTrainer(factory);
    expect(disposed.times).toBe(1);
  });

  it("finds out every device that is wrong, in any one tensor", async () => {
    const { loss, delta } = derive();
    const wrong = async (loss: number, delta: Float32Array) => {
      const { factory, disposed } = fake(loss, delta);
      await expect(checkTrainer(factory)).rejects.toMatchObject({ name: "ModelError", code: "device-wrong" });
      expect(disposed.times).toBe(1);
    };
    await wrong(loss * 1.01, delta);
    await wrong(Number.NaN, delta);
    await wrong(loss, new Float32Array(delta.length));
    for (const { offset, length } of layout.tensors) {
      const change = async (work: (values: Float32Array) => void) => {
        const changed = delta.slice();
        work(changed.subarray(offset, offset + length));
        await wrong(loss, changed);
      };
      await change((values) => values.fill(0));
      await change((values) => values.set(values.map((value) => -value)));
      await change((values) => values.set(values.map((value) => value * 1.01)));
      await change((values) => values.reverse());
      await change((values) => values.fill(Number.NaN, 0, 1));
    }
  });

  it("passes on what the factory rejects with", async () => {
    const absent = createReference({
      shape: KNOWN_SHAPE,
      optimizer: KNOWN_OPTIMIZER,
      batch: 1,
      backend: "webgpu",
    });
    await expect(checkTrainer(() => absent)).rejects.toMatchObject({ code: "device-unavailable" });
  });
});
