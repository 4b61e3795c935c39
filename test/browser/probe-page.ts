import { memoryCache } from "../../client/cache/cache.ts";
import { TileMemory } from "../../client/cache/tiles.ts";
import { browserCandidates } from "../../client/worker/device/devices.ts";
import { probe } from "../../client/worker/device/probe.ts";
import { NoDevice } from "../../client/worker/device/trainers.ts";
import { sleep } from "../../client/worker/time.ts";
import type { DeviceName, TrainerOptions } from "../../model/contract/trainer.ts";
import { openGpu } from "../../model/engine/webgpu/adapter.ts";

const shape = { layers: 1, heads: 2, width: 32, context: 16, vocabulary: 256 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };

/** Probes this browser, among all devices or one; the reasons where there is none. */
async function run(only?: DeviceName, options: Partial<TrainerOptions> = {}, memory?: TileMemory) {
  const candidates = browserCandidates(location.origin, memory).filter(
    ({ device }) => only === undefined || device === only,
  );
  try {
    const { trainer, results } = await probe({
      candidates,
      options: { shape, optimizer, batch: 2, ...options },
      trying: () => undefined,
      clock: () => performance.now(),
      sleep: only === undefined ? sleep : () => new Promise(() => undefined), // a slow machine's only one gets its time
      signal: new AbortController().signal,
    });
    trainer.dispose();
    return { report: trainer.report, results };
  } catch (error) {
    if (error instanceof NoDevice) return { reasons: error.message };
    throw error;
  }
}

/** Probes WebGPU alone for a run with Muon inside. Tiles are remembered: comparing them takes longer than all else. */
async function runMuon() {
  const { device, detail } = await openGpu();
  device.destroy();
  const memory = new TileMemory(memoryCache(), shape);
  const tile = "register 8×8×4 by 4×4";
  await memory.remember(detail, { NN: tile, NT: tile, TN: tile });
  return run("webgpu", { optimizer: { ...optimizer, inner: "muon" } }, memory);
}

const page = { run, runMuon };
export type ProbePage = typeof page;

declare global {
  var probePage: ProbePage;
}
globalThis.probePage = page;
