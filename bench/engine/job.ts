import type { ConfigName } from "../../client/benchmark/workload.ts";

export type Device = "wasm" | "webgpu";
export type Runtime = "node" | "chromium";
export type Contestant = "ours" | "jax-js" | "tfjs";

/** One contestant's turn, in a process (Node) or browser (Chromium) of its own. */
export interface Job {
  readonly config: ConfigName;
  readonly device: Device;
  readonly contestant: Contestant;
  /** Of ours alone: the peers choose for themselves. */
  readonly threads: number;
  /** Steps that are timed but not counted, then steps that count. All of them stand the parity gate. */
  readonly warmups: number;
  readonly steps: number;
}

/** What a turn tells. */
export interface Turn {
  /** What ran, in the contestant's own words. */
  readonly detail: string;
  /** Mean loss before each step's update, warm-ups included. */
  readonly losses: number[];
  /** Milliseconds of each step, warm-ups included. */
  readonly times: number[];
  /** Kernels a step starts; null of a peer. */
  readonly dispatches: number | null;
  /** FLOP/s of fused multiply-add on this thread at its best; null without relaxed SIMD or off the processor. */
  readonly peak: number | null;
}
