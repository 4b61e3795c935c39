import { expect, test } from "vitest";
import {
  type CodecSpec,
  DENSE2,
  DENSE4,
  F32,
  MIDRISE1,
  MIDRISE2,
  MIDRISE3,
} from "../../protocol/codec/codec.ts";
import {
  diffOf,
  finish,
  gather,
  type MergeRule,
  normOf,
  type Part,
  PIECE,
  partsFor,
  startStep,
  turn,
} from "./step.ts";

const LENGTH = 8 * PIECE + 777;
const CODECS: readonly CodecSpec[] = [
  ...[F32, DENSE2, DENSE4, MIDRISE1, MIDRISE2, MIDRISE3],
  { name: "dense", bits: 8 },
  { name: "topk", chunk: 4096, k: 64, bits: 4 },
  { name: "topk", chunk: 64, k: 3, bits: 2 },
];
const OUTERS = [{ kind: "average" }, { kind: "nesterov", matrices: 1.5 }, { kind: "muon" }] as const;
const waves = (by: number) =>
  Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i * by) / (1 + (i % 97)));
const [X, THETA, MOMENTUM, MEAN] = [waves(1), waves(1.001), waves(7), waves(0.3)];
/** Across cuts, and on them. */
const MATRICES = [
  { offset: 33, rows: 10, columns: 20 },
  { offset: 3 * PIECE - 50, rows: 60, columns: 40 },
  { offset: 6 * PIECE, rows: 2, columns: 30 },
];

/** One step, its parts done one after another, as threads in any order would; those of a round from the last to the first. */
function stepOf(rule: MergeRule, parts: readonly Part[]): readonly Uint8Array[] {
  const next = { x: X.slice(), theta: MEAN.slice(), momentum: new Float32Array(LENGTH) };
  const step = startStep(rule, { theta: THETA, momentum: MOMENTUM }, next);
  for (const part of parts.toReversed()) gather(rule, step, part);
  if (rule.outer.kind === "muon") for (const matrix of rule.matrices) turn(rule, step, matrix);
  for (const part of parts.toReversed()) finish(rule, step, 2, part);
  const vectors = [next.x, next.theta, next.momentum].map((values) => new Uint8Array(values.buffer));
  return [...vectors, diffOf(rule, step), new Uint8Array(Float64Array.of(normOf(step)).buffer)];
}

test("1 to 8 threads make the same bytes, with every codec and outer step", () => {
  let turns = 0;
  for (const downlink of CODECS) {
    for (const outer of OUTERS) {
      const rule: MergeRule = {
        outer: { ...outer, rate: 0.7, momentum: 0.3 },
        downlink,
        matrices: MATRICES,
        orthogonalize: (matrix) => matrix.reverse(), // looks at, and changes, all of it
      };
      const whole = stepOf(rule, [{ from: 0, to: LENGTH }]);
      const threads = 1 + ((5 * turns) % 8);
      const cut = stepOf(rule, partsFor(threads, LENGTH));
      const same = cut.map((bytes, i) => Buffer.compare(bytes, whole[i]!) === 0);
      expect(same, `${downlink.name} ${outer.kind} ${threads}`).toEqual([true, true, true, true, true]);
      turns++;
    }
  }
});

test("parts are whole pieces, without gaps, and even; more threads than pieces leave some without any", () => {
  for (const threads of [1, 2, 3, 8, 20]) {
    const parts = partsFor(threads, LENGTH);
    expect(parts.map(({ from }) => from)).toEqual([0, ...parts.slice(0, -1).map(({ to }) => to)]);
    expect(parts.at(-1)!.to).toBe(LENGTH);
    const pieces = parts.map(({ from, to }) => Math.ceil((to - from) / PIECE));
    expect(Math.max(...pieces) - Math.min(...pieces)).toBeLessThanOrEqual(1);
  }
});
