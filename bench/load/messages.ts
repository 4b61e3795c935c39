import type { Json } from "../../protocol/guards.ts";

/** What the server's process tells the bench. */
export type ServerMessage =
  /** A version was published, so many milliseconds after the server's clock began. */
  | { readonly type: "version"; readonly at: number; readonly deltas: number }
  | { readonly type: "ready"; readonly port: number; readonly manifest: Json }
  | ServerFigures;

export interface ServerFigures {
  readonly type: "figures";
  readonly eventLoopP99Ms: number;
  readonly eventLoopMaxMs: number;
  /** From an upload read and its signature verified to its receipt. */
  readonly acceptMedianMs: number;
  readonly acceptP99Ms: number;
  readonly rssMiB: number;
  /** Since the reset: of all threads, and of the one that takes deltas. */
  readonly cpuSeconds: number;
  readonly mainSeconds: number;
}
