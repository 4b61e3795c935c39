import * as tf from "@tensorflow/tfjs-core";
import { initialWeights } from "../../model/contract/init.ts";
import { checkTrainer } from "../../model/contract/known-gradient.ts";
import type { DeviceName, DeviceReport } from "../../model/contract/trainer.ts";
import { createReference } from "../../model/reference/reference.ts";

/** Runs in a page's Worker for reference.test.ts: trains a tiny model on a tfjs backend, and says how it went. */
export interface Outcome {
  readonly report: DeviceReport;
  readonly losses: readonly number[];
  /** What tfjs held after the second ticket of ten steps, and after the last. */
  readonly held: readonly [number, number];
  /** The code of a step's error after the device was destroyed; WebGPU only. */
  readonly afterLoss: string | undefined;
}

export type Answer = { readonly outcome: Outcome } | { readonly failed: string };

export interface Question {
  readonly backend: DeviceName;
  readonly wasmPath: string;
}

const shape = { layers: 1, heads: 2, width: 16, context: 8, vocabulary: 32 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const tokens = Uint16Array.from({ length: 18 }, (_, i) => (i * 7) % 32);

async function run({ backend, wasmPath }: Question): Promise<Outcome> {
  await checkTrainer((options) => createReference({ ...options, backend, wasmPath }));
  const trainer = await createReference({ shape, optimizer, batch: 2, backend, wasmPath });
  await trainer.load(initialWeights(shape, 1));
  const losses: number[] = [];
  const held: number[] = [];
  for (let ticket = 0; ticket < 3; ticket++) {
    for (let step = 0; step < 10; step++) await trainer.step(tokens, 2, 1e-2);
    losses.push(...(await trainer.losses()));
    await trainer.delta();
    held.push(tf.memory().numTensors);
  }
  const { report } = trainer;
  const afterLoss = backend === "webgpu" ? await loseDevice(() => trainer.step(tokens, 2, 0)) : undefined;
  trainer.dispose();
  return { report, losses, held: [held[1]!, held.at(-1)!], afterLoss };
}

/** Destroys tfjs' device under the trainer; the code of the error that its next call meets. */
async function loseDevice(call: () => Promise<void>): Promise<string> {
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  const backend = tf.backend();
  if (!(backend instanceof WebGPUBackend)) return "not WebGPU";
  backend.device.destroy();
  await backend.device.lost;
  return call().then(
    () => "none",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

addEventListener("message", async ({ data }: MessageEvent<Question>) => {
  const answer: Answer = await run(data).then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({ failed: String(error) }),
  );
  postMessage(answer);
});
