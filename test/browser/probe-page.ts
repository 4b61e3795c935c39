import { memoryCache } from "../../client/cache/cache.ts";
import { TileMemory } from "../../client/cache/tiles.ts";
import { browserCandidates } from "../../client/worker/device/devices.ts";
import { probe } from "../../client/worker/device/probe.ts";
import { NoDevice } from "../../client/worker/device/trainers.ts";
import { sleep } from "../../client/worker/time.ts";
import type { DeviceName, DeviceReport, TrainerOptions } from "../../model/contract/trainer.ts";
import { openGpu } from "../../model/engine/webgpu/adapter.ts";

const shape = { layers: 1, heads: 2, width: 32, context: 16, vocabulary: 256 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };

/** Probes this browser, among all devices or some; the reasons where there is none. */
async function run(
  only?: DeviceName | DeviceReport["engine"],
  options: Partial<TrainerOptions> = {},
  memory?: TileMemory,
) {
  const candidates = browserCandidates(location.origin, memory)
    .filter(({ device, engine }) => only === undefined || device === only || engine === only)
    .map((candidate) => (only === "fast" ? { ...candidate, forget: async () => false } : candidate));
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

const tile = "register 8×8×4 by 4×4";
const tiles = { NN: tile, NT: tile, TN: tile };

/** Tiles that are remembered: comparing them takes longer than all else. */
async function remembered(): Promise<TileMemory> {
  const { device, detail } = await openGpu();
  device.destroy();
  const memory = new TileMemory(memoryCache(), shape);
  await memory.remember(detail, tiles);
  return memory;
}

/** Probes WebGPU alone for a run with Muon inside. */
async function runMuon() {
  return run("webgpu", { optimizer: { ...optimizer, inner: "muon" } }, await remembered());
}

/** Replaces one text by another in all kernels from now on. */
function spoil(text: string, by: string): void {
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (module) {
    return createShaderModule.call(this, { ...module, code: module.code.replaceAll(text, by) });
  };
}

/** Probes WebAssembly and WebGPU, which is not tried twice. */
const runFast = async () => run("fast", {}, await remembered());

const page = { run, runMuon, runFast, spoil };
export type ProbePage = typeof page;

declare global {
  var probePage: ProbePage;
}
globalThis.probePage = page;
