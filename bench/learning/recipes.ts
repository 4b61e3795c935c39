/**
 * What the run file says, by name: "default" is the product as it stands, each other recipe changes one thing
 * of it, or is one that others published (docs/LEARNING.md has what came of each).
 */
export const RECIPES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  default: {},
  /** What the defaults were when crowds took turns, whatever they become: what the table of times compares with. */
  turns: {
    rounds: "turns",
    batch: 4,
    optimizer: { inner: "adamw" },
    outer: { kind: "muon", rate: 1.3, momentum: 0.3, fullAt: 4 },
    delta: "dense4",
    downlink: "auto",
    quorum: 1,
    crowd: 8,
  },
  /** What is between few and a crowd has a part of a crowd's outer step. */
  "crowd-grows": {
    outer: {
      ...{ kind: "muon", rate: 1.43, momentum: 0.5, grows: true, muonMomentum: 0.5, crowdGrows: true },
      ...{ warmupVersions: 10, startVersions: 16 },
    },
    downlink: "midrise2",
  },
  /** FedAvg: the volunteers' mean replaces the weights. */
  average: { outer: { kind: "average", rate: 1 } },
  "average-f32": { outer: { kind: "average", rate: 1 }, delta: { name: "f32" }, downlink: { name: "f32" } },
  /** DiLoCo's outer optimiser as published (2311.08105). */
  diloco: { outer: { kind: "nesterov", rate: 0.7, momentum: 0.9 } },
  nesterov: { outer: { kind: "nesterov", rate: 0.7, momentum: 0.3 } },
  /** SparseLoCo (2508.15706): top 64 of 4,096 in 2 bits, averaged. */
  sparseloco: {
    outer: { kind: "average", rate: 1 },
    delta: { name: "topk", chunk: 4096, k: 64, bits: 2 },
  },
  "dense-2": { delta: { name: "dense", bits: 2 } },
  "dense-8": { delta: { name: "dense", bits: 8 } },
  "topk-128": { delta: { name: "topk", chunk: 4096, k: 128, bits: 4 } },
  "topk-256": { delta: { name: "topk", chunk: 4096, k: 256, bits: 2 } },
  /** Diffs in other bits than the default's. */
  "down-2": { downlink: "dense2" },
  "down-4": { downlink: "dense4" },
  "down-1": { downlink: "midrise1" },
  /** Deltas in one bit, over every link. */
  "up-1": { delta: "midrise1" },
  /** Without error feedback. */
  "no-residual": { residualDecay: 0 },
};
