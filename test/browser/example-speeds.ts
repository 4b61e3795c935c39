import type { SpeedRow } from "../../protocol/speeds.ts";

/** A table of measurements as visitors may send them. */
export const EXAMPLE_SPEEDS: readonly SpeedRow[] = [
  {
    device: "webgpu",
    adapter: "apple metal-3",
    software: false,
    size: "small",
    tokensPerSecond: 182_400,
    ofPeak: 0.19,
    times: 12,
  },
  {
    device: "wasm",
    adapter: "4 threads, SIMD + FMA",
    software: false,
    size: "small",
    tokensPerSecond: 21_300,
    ofPeak: 0.58,
    times: 31,
  },
  {
    device: "webgpu",
    adapter: "google swiftshader SwiftShader Device (Subzero) (software)",
    software: true,
    size: "anchor",
    tokensPerSecond: 410,
    ofPeak: null,
    times: 1,
  },
];
