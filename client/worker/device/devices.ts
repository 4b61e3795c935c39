import type { DeviceName } from "../../../model/contract/trainer.ts";
import type { WebgpuOptions } from "../../../model/engine/webgpu/trainer.ts";
import type { TileMemory } from "../../cache/tiles.ts";
import type { AfterFirst, Candidate } from "./candidate.ts";
import type { FirstSteps } from "./first-step.ts";

const fastWasm = (threads: number): Candidate => ({
  device: "wasm",
  engine: "fast",
  load: async () => {
    const { createWasmTrainer } = await import("../../../model/engine/wasm/trainer.ts");
    return (options) => createWasmTrainer({ ...options, threads });
  },
});

/** Threads: with more, each has too little of a usual micro-batch. */
const MAX_THREADS = 4;

/** Half of a visitor's processors: the other half is theirs whatever the throttle says. */
export const visitorThreads = (): number =>
  Math.min(MAX_THREADS, Math.max(1, Math.floor((navigator.hardwareConcurrency || 1) / 2)));

function fastWebgpu(memory?: TileMemory): Candidate {
  let recalled = false;
  const recall = async (adapter: string) => {
    const names = await memory?.recall(adapter);
    recalled = names !== undefined;
    return names;
  };
  const forget = async () => {
    await memory?.forget();
    const was = recalled;
    recalled = false;
    return was;
  };
  return {
    device: "webgpu",
    engine: "fast",
    load: async () => {
      const { createWebgpuTrainer } = await import("../../../model/engine/webgpu/trainer.ts");
      // The tiles that suit the adapter are measured once: for the known gradient, a rebuilt trainer and a larger
      // micro-batch they are the same, and on the next visit they are remembered.
      let tiles: WebgpuOptions["tiles"];
      return async (options) => {
        const trainer = await createWebgpuTrainer({ ...options, ...(tiles ? { tiles } : { recall }) });
        if (tiles === undefined) {
          const { adapter, tiles } = trainer.remembrance;
          await memory?.remember(adapter, tiles);
        }
        tiles = trainer.tiles;
        return trainer;
      };
    },
    forget,
    disguised: async () => {
      const { openGpu } = await import("../../../model/engine/webgpu/adapter.ts");
      const { device, software } = await openGpu();
      device.destroy();
      return software;
    },
  };
}

const reference = (device: DeviceName, wasmPath?: string): Candidate => ({
  device,
  engine: "tfjs",
  load: async () => {
    const { createReference } = await import("../../../model/reference/reference.ts");
    return (options) => createReference({ ...options, backend: device, ...(wasmPath && { wasmPath }) });
  },
});

/**
 * Everything a browser might train on, in the order it is tried: the only list of engines. `server` is where
 * tfjs' WASM binaries are, should they be needed; `memory` keeps between visits what the GPU's probe found.
 */
export function browserCandidates(server: string, memory?: TileMemory): Candidate[] {
  const wasm = fastWasm(visitorThreads()); // ready in milliseconds, so that there is something to compare with
  let steps: Promise<FirstSteps> | undefined;
  const first: AfterFirst = async (...step) => {
    steps ??= import("./first-step.ts").then(({ FirstSteps }) => new FirstSteps(wasm.load));
    await (await steps).see(...step);
  };
  return [
    navigator.gpu ? { ...wasm, first: (...step) => first(...step).catch(() => undefined) } : wasm,
    { ...fastWebgpu(memory), first },
    { ...reference("webgpu"), first },
    reference("wasm", `${server}/tfjs/`),
    reference("webgl"),
    reference("cpu"),
  ];
}

/** The same in Node, which has no GPU of its own. One thread each: who wants more starts more volunteers. */
export const nodeCandidates = (): Candidate[] => [fastWasm(1), reference("wasm"), reference("cpu")];
