import type { WebgpuOptions } from "../../model/engine/webgpu/trainer.ts";
import type { DeviceName, DeviceReport, TrainerFactory } from "../../model/trainer.ts";

/** A way to train that this machine may or may not have. Its code is fetched when it is tried. */
export interface Candidate {
  readonly device: DeviceName;
  readonly engine: DeviceReport["engine"];
  /** Rejects where the code cannot be loaded. */
  readonly load: () => Promise<TrainerFactory>;
  /** Whether it is a processor in disguise, not worth waiting for where the processor itself serves. */
  readonly disguised?: () => Promise<boolean>;
}

/** Names a candidate where it is remembered. */
export const idOf = ({ device, engine }: Candidate): string => `${device}/${engine}`;

const fastWasm = (threads: number): Candidate => ({
  device: "wasm",
  engine: "fast",
  load: async () => {
    const { createWasmTrainer } = await import("../../model/engine/wasm/trainer.ts");
    return (options) => createWasmTrainer({ ...options, threads });
  },
});

/** More threads than this find too little of a usual micro-batch each. */
const MOST_THREADS = 4;

/** Half of a visitor's processors: the other half is theirs whatever the throttle says. */
export const visitorThreads = (): number =>
  Math.min(MOST_THREADS, Math.max(1, Math.floor((navigator.hardwareConcurrency || 1) / 2)));

const fastWebgpu: Candidate = {
  device: "webgpu",
  engine: "fast",
  load: async () => {
    const { createWebgpuTrainer } = await import("../../model/engine/webgpu/trainer.ts");
    // The tiles that suit the adapter are measured once: for the known gradient, a rebuilt trainer and a larger
    // micro-batch they are the same.
    let tiles: WebgpuOptions["tiles"];
    return async (options) => {
      const trainer = await createWebgpuTrainer({ ...options, ...(tiles && { tiles }) });
      tiles = trainer.tiles;
      return trainer;
    };
  },
  disguised: async () => {
    const { openGpu } = await import("../../model/engine/webgpu/adapter.ts");
    const { device, software } = await openGpu();
    device.destroy();
    return software;
  },
};

const reference = (device: DeviceName, wasmPath?: string): Candidate => ({
  device,
  engine: "tfjs",
  load: async () => {
    const { createReference } = await import("../../model/reference.ts");
    return (options) => createReference({ ...options, backend: device, ...(wasmPath && { wasmPath }) });
  },
});

/**
 * Everything a browser might train on, in the order it is tried: the only list of engines. `server` is where
 * tfjs' WASM binaries are, should they be needed.
 */
export const browserCandidates = (server: string): Candidate[] => [
  fastWasm(visitorThreads()), // ready in milliseconds, so that there is something to compare with
  fastWebgpu,
  reference("webgpu"),
  reference("wasm", `${server}/tfjs/`),
  reference("webgl"),
  reference("cpu"),
];

/** The same in Node, which has no GPU of its own. One thread each: who wants more starts more volunteers. */
export const nodeCandidates = (): Candidate[] => [fastWasm(1), reference("wasm"), reference("cpu")];
