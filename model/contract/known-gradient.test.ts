import { describe, expect, it } from "vitest";
import { oracleState, oracleStep } from "../../test/oracle/oracle.ts";
import { createWasmTrainer } from "../engine/wasm/trainer.ts";
import { createReference } from "../reference/reference.ts";
import type { Inner } from "./config.ts";
import {
  checkTrainer,
  fingerprints,
  KNOWN_BATCH,
  KNOWN_DELTA,
  KNOWN_LOSS,
  KNOWN_MUON_DELTA,
  KNOWN_OPTIMIZER,
  KNOWN_RATE,
  KNOWN_SHAPE,
  knownTokens,
  knownWeights,
} from "./known-gradient.ts";
import { isHidden, layoutOf } from "./layout.ts";
import type { DeviceName, Trainer } from "./trainer.ts";

const layout = layoutOf(KNOWN_SHAPE);

/** The known step by the f64 oracle. */
function derive(inner: Inner = "adamw") {
  const weights = knownWeights();
  const state = oracleState(weights);
  const optimizer = { ...KNOWN_OPTIMIZER, inner };
  const loss = oracleStep(KNOWN_SHAPE, state, optimizer, knownTokens(), KNOWN_BATCH, KNOWN_RATE);
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
    vector: () => Promise.reject(new Error("not asked for")),
    evaluate: () => Promise.reject(new Error("not asked for")),
    logits: () => Promise.reject(new Error("not asked for")),
    dispose: () => {
      disposed.times++;
    },
  };
  return { factory: async () => trainer, disposed };
}

const inners: Inner[] = ["adamw", "muon"];

describe("the known gradient", () => {
  it.each(inners)("is what the f64 oracle derives with %s", (inner) => {
    const { loss, delta } = derive(inner);
    expect(Math.abs(loss / KNOWN_LOSS - 1)).toBeLessThan(1e-9);
    const derived = fingerprints(layout, delta);
    expect(KNOWN_DELTA).toHaveLength(derived.length);
    for (const [i, { norm, signed }] of derived.entries()) {
      const turned = inner === "muon" ? KNOWN_MUON_DELTA.get(layout.tensors[i]!.name) : undefined;
      const known = turned ?? KNOWN_DELTA[i]!;
      expect(Math.abs(norm - known.norm) / norm).toBeLessThan(1e-6);
      expect(Math.abs(signed - known.signed) / norm).toBeLessThan(1e-6);
    }
    expect([...KNOWN_MUON_DELTA.keys()]).toEqual(layout.tensors.filter(isHidden).map(({ name }) => name));
  });

  it.each<DeviceName>(["wasm", "cpu"])("is met by the reference trainer on %s", async (backend) => {
    for (const inner of inners)
      await checkTrainer((options) => createReference({ ...options, backend }), inner);
  });

  it.each(inners)("is met by the WASM engine with %s", async (inner) => {
    await checkTrainer(createWasmTrainer, inner);
  });

  it("passes a device that is right, and disposes of its trainer", async () => {
    const { loss, delta } = derive();
    const { factory, disposed } = fake(loss, delta);
    await checkTrainer(factory);
    expect(disposed.times).toBe(1);
  });

  it.each(inners)("finds out every device that is wrong, in any one tensor, with %s", async (inner) => {
    const { loss, delta } = derive(inner);
    const wrong = async (loss: number, delta: Float32Array) => {
      const { factory, disposed } = fake(loss, delta);
      await expect(checkTrainer(factory, inner)).rejects.toMatchObject({
        name: "ModelError",
        code: "device-wrong",
      });
      expect(disposed.times).toBe(1);
    };
    await wrong(loss * 1.01, delta);
    await wrong(Number.NaN, delta);
    await wrong(loss, new Float32Array(delta.length));
    for (const { name, offset, length } of layout.tensors) {
      const turned = inner === "muon" && KNOWN_MUON_DELTA.has(name);
      const change = async (work: (values: Float32Array) => void) => {
        const changed = delta.slice();
        work(changed.subarray(offset, offset + length));
        await wrong(loss, changed);
      };
      await change((values) => values.fill(0));
      await change((values) => values.set(values.map((value) => -value)));
      await change((values) => values.set(values.map((value) => value * (turned ? 1.02 : 1.01))));
      await change((values) => values.reverse());
      await change((values) => values.fill(Number.NaN, 0, 1));
    }
  });

  it("tells a device that trains with AdamW where Muon was asked for", async () => {
    const { loss, delta } = derive("adamw");
    const { factory } = fake(loss, delta);
    await expect(checkTrainer(factory, "muon")).rejects.toThrow(/a change of h\.0\.attn\.c_attn\.weight/);
    await checkTrainer(factory); // the control
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
