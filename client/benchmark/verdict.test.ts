import { expect, test } from "vitest";
import type { Results } from "./bench.ts";
import type { Row } from "./messages.ts";
import { verdict } from "./verdict.ts";

const row = (contender: Row["contender"], tokensPerSecond: number, rest: Partial<Row> = {}): Row => ({
  contender,
  device: contender.endsWith("webgpu") ? "webgpu" : "wasm",
  engine: contender.startsWith("fast") ? "fast" : "tfjs",
  detail: "",
  software: false,
  tokensPerSecond,
  msPerStep: 1,
  steps: 10,
  warmups: 3,
  startMs: 1,
  flops: 1e9,
  products: null,
  peak: null,
  dispatches: null,
  bytes: null,
  firstLoss: 5.5,
  lastLoss: 5,
  ...rest,
});
const results = (rows: Row[], rest: Partial<Results> = {}): Results => ({
  config: "small",
  gemm: undefined,
  rows,
  refused: [],
  ...rest,
});

test("names the fastest, and ours against stock on each device", () => {
  const lines = verdict(
    results([row("fast-wasm", 2000), row("fast-webgpu", 90_000, { peak: 4e9 }), row("tfjs-webgpu", 1000)]),
  );
  expect(lines[0]).toMatch(/WebGPU, at 90\.0 k tokens/);
  expect(lines[1]).toMatch(/On WebGPU our engine is 90 times/);
  expect(lines[2]).toMatch(/reaches 25%/);
  expect(lines).toHaveLength(3);
});

test("a trainer that computes another loss gets no praise", () => {
  const wrong = row("fast-webgpu", 1e6, { firstLoss: 0 });
  const none = row("fast-webgpu", 1e6, { firstLoss: Number.NaN });
  for (const bad of [wrong, none]) {
    const lines = verdict(results([row("fast-wasm", 2000), bad, row("tfjs-wasm", 1000)]));
    expect(lines[0]).toMatch(/WebAssembly/);
    expect(lines.at(-1)).toMatch(/WebGPU computed another loss/);
  }
});

test("says that a GPU is software on the CPU, and why there is none", () => {
  const gemm = { adapter: "", software: true, side: 256, square: 1, tile: "" };
  expect(verdict(results([row("fast-wasm", 1)], { gemm })).at(-1)).toMatch(/software that runs on the CPU/);
  const refused = [{ contender: "gemm", why: "no adapter" }] as const;
  expect(verdict(results([row("fast-wasm", 1)], { refused })).at(-1)).toMatch(
    /no WebGPU here \(no adapter\)/,
  );
  expect(verdict(results([]))).toEqual([]);
});
