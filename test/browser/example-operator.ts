import type { Overview } from "../../protocol/operator.ts";
import type { Estimate, SetupState } from "../../protocol/setup.ts";
import { exampleStatus } from "./example-status.ts";
import { EXAMPLE_VOLUNTEERS } from "./example-volunteers.ts";

/** What the tiny preset costs. */
export const EXAMPLE_ESTIMATE: Estimate = {
  parameters: 285_312,
  snapshotBytes: 1_144_456,
  deltaBytes: 151_612,
  diffBytes: 151_612,
  flopsPerToken: 1_783_296,
  ticketTokens: [1_536, 15_360],
  diskBytes: 49_687_232,
  tokenBudget: 20_000_000,
  gpuBytes: 8_400_000,
  wasmBytes: 8_300_000,
  phones: true,
  learningRate: 0.00313,
};

/** A server whose run is yet to be made. */
export function exampleSetup(overrides: Partial<SetupState> = {}): SetupState {
  const none = { upload: null, corpus: null, work: null, failed: null };
  return { operator: "Ann", maxBytes: 4 * 1024 ** 3, freeBytes: 81_400_000_000, ...none, ...overrides };
}

/** What the operator of that run sees. */
export function exampleOverview(overrides: Partial<Overview> = {}): Overview {
  const versions = Array.from({ length: 160 }, (_, i) => ({
    version: i + 1,
    at: (i + 1) * 11_000,
    tokens: (i + 1) * 20_480,
    deltas: 4 + (i % 3),
    came: 4 + (i % 3),
    ms: 9_300 + 710 * (i % 5) + Math.round(2_000 * Math.abs(Math.sin(i / 9))),
    loss: 3.2 + 3.0 * Math.exp(-i / 28) + 0.05 * Math.sin(i * 2.7),
  }));
  return {
    operator: "Ann",
    state: "running",
    draining: false,
    here: {
      device: { computer: 15, phone: 6, program: 2 },
      browser: { Chrome: 12, Firefox: 5, Safari: 3, Node: 2, Edge: 1 },
      backend: { webgpu: 14, wasm: 8, unknown: 1 },
    },
    volunteers: EXAMPLE_VOLUNTEERS,
    staleness: [112, 64, 21, 6, 2],
    audits: { good: 41, bad: 2 },
    sharedAudits: { agreement: 27, server: 2, wrong: 1 },
    versions,
    heldOut: exampleStatus().heldOut.map((point) => ({ ...point, at: point.version * 11_000 })),
    traffic: { up: 97_034_240, down: 812_400_128, upPerSecond: 54_300, downPerSecond: 412_000 },
    machine: {
      delayMs: { p50: 0.2, p99: 14.8 },
      memoryBytes: 269_287_424,
      upMs: 5_400_000,
      disk: { freeBytes: 81_587_429_376, totalBytes: 270_553_174_016 },
    },
    snapshots: [160, 150, 140],
    sites: [
      { origin: "https://blog.example", volunteers: 12, tickets: 4_312, tokens: 21_400_000 },
      { origin: "https://a-rather-long-name.museum.example", volunteers: 0, tickets: 0, tokens: 0 },
    ],
    tuning: {
      quorum: 4,
      leaseSeconds: 120,
      tokenBudget: 40_000_000,
      learningRate: 0.003,
      finalRate: 0.1,
    },
    log: [
      { at: "2026-11-23T00:41:10.000Z", who: "Ann", action: "start" },
      { at: "2026-11-23T00:12:03.000Z", who: "operator", action: "tune quorum=4 learningRate=0.003" },
      { at: "2026-11-22T23:58:44.000Z", who: "operator", action: "pause" },
    ],
    alerts: [],
    ...overrides,
  };
}
