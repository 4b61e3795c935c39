import type { ConfigName } from "./workload.ts";

/** The bench page's message to its Worker: begin. To stop, it terminates the Worker. */
export interface Command {
  readonly type: "start";
  readonly config: ConfigName;
  /** Where the server is, for tfjs' WASM binaries. */
  readonly server: string;
}

/** The contender being measured. */
export type Contender = "gemm" | "fast-webgpu" | "fast-wasm" | "tfjs-webgpu" | "tfjs-wasm";

/** The Worker's messages to the page. */
export type Report =
  /** `step` of the contender's steps, 0 while it starts; the count is a guess until the budget is spent. */
  | { readonly type: "progress"; readonly contender: Contender; readonly step: number }
  | { readonly type: "gemm"; readonly gemm: GemmSpeed }
  | { readonly type: "row"; readonly row: Row }
  | { readonly type: "refused"; readonly contender: Contender; readonly why: string }
  | { readonly type: "done" };

/** How fast this GPU multiplies matrices at all, in FLOP/s: our own kernels, nothing else running. */
export interface GemmSpeed {
  readonly adapter: string;
  readonly software: boolean;
  /** [side, side]·[side, side] */
  readonly side: number;
  readonly square: number;
  readonly tile: string;
}

/** One trainer's measurement. */
export interface Row {
  readonly contender: Exclude<Contender, "gemm">;
  readonly device: "webgpu" | "wasm";
  readonly engine: "fast" | "tfjs";
  readonly detail: string;
  readonly software: boolean;
  readonly tokensPerSecond: number;
  /** Median of the counted steps. */
  readonly msPerStep: number;
  /** Steps that count, after those that warm up. */
  readonly steps: number;
  readonly warmups: number;
  /** From nothing to the first step's end: fetching, compiling, probing. */
  readonly startMs: number;
  /** FLOP/s of the whole step. */
  readonly flops: number;
  /** FLOP/s of the step's matrix products alone; WebGPU's fast engine only. */
  readonly products: number | null;
  /** FLOP/s the same device was seen to reach at best: its square product, or a thread's multiply-adds × threads. */
  readonly peak: number | null;
  readonly dispatches: number | null;
  /** Bytes a step's operations name, see model/engine/flops.ts; of the fast engine only. */
  readonly bytes: number | null;
  readonly firstLoss: number;
  readonly lastLoss: number;
}
