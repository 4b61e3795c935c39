import { expect, test, vi } from "vitest";
import { ModelError } from "../../../model/contract/config.ts";
import { initialWeights } from "../../../model/contract/init.ts";
import { layoutOf } from "../../../model/contract/layout.ts";
import type { Trainer, TrainerOptions } from "../../../model/contract/trainer.ts";
import { createWasmTrainer } from "../../../model/engine/wasm/trainer.ts";
import { FirstSteps } from "./first-step.ts";
import { speedOf } from "./probe.ts";
import { withDeadlines } from "./with-deadlines.ts";

const options: TrainerOptions = {
  shape: { layers: 2, heads: 2, width: 32, context: 24, vocabulary: 300 },
  optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
  batch: 2,
};
const { tensors } = layoutOf(options.shape);
const wasm = async () => createWasmTrainer;

/** A GPU whose numbers are those of WebAssembly's other build, and then `spoilt`. */
async function gpu(spoilt: (m: Float32Array) => void = () => {}, own = options): Promise<Trainer> {
  const trainer = withDeadlines(await createWasmTrainer({ ...own, deterministic: true }), 60_000);
  const vector: Trainer["vector"] = async (which) => {
    const values = await trainer.vector(which);
    spoilt(values);
    return values;
  };
  return { ...trainer, vector, report: { ...trainer.report, device: "webgpu" } };
}

/** Takes a trainer's first step as the probe does, and shows it. */
async function shown(steps: FirstSteps, trainer: Trainer, own = options, off = 0): Promise<void> {
  await trainer.load(initialWeights(own.shape, 1));
  let seen: Promise<void> | undefined;
  const first = (loss: number) => {
    seen = steps.see(trainer, own, loss + off);
    return seen.catch(() => undefined);
  };
  await speedOf(trainer, own.shape, own.batch, () => 0, 0, 0, first);
  trainer.dispose();
  return seen;
}

const within = (name: string, change: (values: Float32Array, at: number) => void) => (m: Float32Array) => {
  const { offset, length } = tensors.find((tensor) => tensor.name === name)!;
  const values = m.subarray(offset, offset + length);
  for (let i = 0; i < length; i++) change(values, i);
};
const queries = within("h.1.attn.c_attn.weight", (values, i) => {
  if (i % 96 < 32) values[i] = 0;
});
const rotated = within("h.0.mlp.c_fc.weight", (values, i) => {
  if (i > 0) [values[i], values[i - 1]] = [values[i - 1]!, values[i]!];
});
const one = within("ln_f.bias", (values, i) => {
  if (i === 7) values[i] = Number.NaN;
});

test("a GPU whose first step is WebAssembly's to rounding is taken, whether that was tried before or not", async () => {
  const steps = new FirstSteps(wasm);
  await shown(steps, await createWasmTrainer(options));
  await shown(steps, await gpu());
  await shown(new FirstSteps(wasm), await gpu());
  const muon = { ...options, batch: 1, optimizer: { ...options.optimizer, inner: "muon" as const } };
  await shown(steps, await gpu(undefined, muon), muon); // a step of its own
});

test.each<[string, (m: Float32Array) => void, RegExp]>([
  ["queries' gradient is lost", queries, /h\.1\.attn\.c_attn\.weight \(queries\)/],
  ["values of a matrix are moved", rotated, /h\.0\.mlp\.c_fc\.weight/],
  ["everything is a hundredth larger", (m) => m.set(m.map((value) => value * 1.01)), /gradient of norm/],
  ["one value is no number", one, /NaN, and WebAssembly/],
])("one is refused where %s", async (_, spoilt, why) => {
  const refused = shown(new FirstSteps(wasm), await gpu(spoilt));
  await expect(refused).rejects.toMatchObject({ code: "device-wrong", message: expect.stringMatching(why) });
});

test.each([0.01, Number.NaN])("one is refused whose loss is off by %d", async (off) => {
  const refused = shown(new FirstSteps(wasm), await gpu(), options, off);
  await expect(refused).rejects.toThrow(/at this model's size it computes a loss of .* and WebAssembly/);
});

test("where WebAssembly cannot hold the model, a GPU is compared with nothing, and the console says so", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const refusing = async () => async () => {
    throw new ModelError("device-limit", "one sequence needs 5000 MiB");
  };
  await shown(new FirstSteps(refusing), await gpu(queries));
  expect(warn).toHaveBeenCalledWith(expect.stringContaining("5000 MiB"));
  warn.mockRestore();
});
