import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BaselineMeter } from "./baselines.ts";

const V = 8;
const tokens = (least: number) => fc.array(fc.nat(V - 1), { minLength: least, maxLength: 60 });

function measure(train: number[], gate: number[], heldOut: number[]) {
  const meter = new BaselineMeter(V);
  meter.add("gate", Uint16Array.from(gate));
  meter.add("heldOut", Uint16Array.from(heldOut));
  // In two parts, as blocks come.
  meter.add("train", Uint16Array.from(train.slice(0, 7)));
  meter.add("train", Uint16Array.from(train.slice(7)));
  return meter.result();
}

/** The documented formulas, read off one by one. */
function expected(train: number[], gate: number[], heldOut: number[]) {
  const n = (token: number) => train.filter((other) => other === token).length;
  const pairs = train.slice(1).map((token, i) => [train[i]!, token] as const);
  const p = (t: number) => (n(t) + 1) / (train.length + V);
  const given = (s: number, t: number, m: number) => {
    const after = pairs.filter(([left]) => left === s);
    return (after.filter(([, right]) => right === t).length + m * p(t)) / (after.length + m);
  };
  const mean = (text: number[], probability: (s: number, t: number) => number) =>
    text.slice(1).reduce((sum, t, i) => sum - Math.log(probability(text[i]!, t)), 0) / (text.length - 1);
  const losses = Array.from({ length: 17 }, (_, i) => mean(gate, (s, t) => given(s, t, 2 ** i)));
  const m = 2 ** losses.indexOf(Math.min(...losses));
  const sums = Array.from({ length: V }, (_, s) =>
    Array.from({ length: V }, (_, t) => given(s, t, m)).reduce((a, b) => a + b),
  );
  return { unigram: mean(heldOut, (_, t) => p(t)), bigram: mean(heldOut, (s, t) => given(s, t, m)), sums };
}

describe("BaselineMeter", () => {
  it("gives the cross-entropies its formulas say, of distributions that sum to one", () => {
    fc.assert(
      fc.property(tokens(8), tokens(2), tokens(2), (train, gate, heldOut) => {
        const found = measure(train, gate, heldOut);
        const { unigram, bigram, sums } = expected(train, gate, heldOut);
        expect(found.uniform).toBeCloseTo(Math.log(V), 5);
        expect(found.unigram).toBeCloseTo(unigram, 5);
        expect(found.bigram).toBeCloseTo(bigram, 5);
        for (const sum of sums) expect(sum).toBeCloseTo(1, 9);
      }),
    );
  });

  it("ranks guessing as it should where the text before tells the next token", () => {
    const cycle = Array.from({ length: 400 }, (_, i) => i % 3);
    const { uniform, unigram, bigram } = measure(cycle, cycle, cycle);
    expect(bigram).toBeLessThan(0.1);
    expect(unigram).toBeCloseTo(Math.log(3), 1);
    expect(uniform).toBeGreaterThan(2);
  });
});
