import type { DeviceName, DeviceReport, TrainerFactory } from "../../model/trainer.ts";

/** A way to train that this machine may or may not have. Its code is fetched when it is tried. */
export interface Candidate {
  readonly device: DeviceName;
  readonly engine: DeviceReport["engine"];
  /** Rejects where the code cannot be loaded. */
  readonly load: () => Promise<TrainerFactory>;
}

/** Names a candidate where it is remembered. */
export const idOf = ({ device, engine }: Candidate): string => `${device}/${engine}`;

const fastWasm: Candidate = {
  device: "wasm",
  engine: "fast",
  load: async () => (await import("../../model/engine/wasm/trainer.ts")).createWasmTrainer,
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
  fastWasm,
  reference("webgpu"),
  reference("wasm", `${server}/tfjs/`),
  reference("webgl"),
  reference("cpu"),
];

/** The same in Node, which has no GPU of its own. */
export const nodeCandidates = (): Candidate[] => [fastWasm, reference("wasm"), reference("cpu")];
