import { expect, test } from "vitest";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import {
  effectiveCount,
  followMomentum,
  moveAgainst,
  type Outer,
  type OuterRule,
  stretchMatrices,
} from "./outer.ts";

const vector = (...values: number[]) => Float32Array.from(values);
const orthogonalizer = await Orthogonalizer.open();
const ruleOf = (outer: Outer) => ({
  outer,
  matrices: [{ offset: 0, rows: 2, columns: 2 }],
  orthogonalize: orthogonalizer.apply.bind(orthogonalizer),
});

/** The whole outer step in place, as step.ts does it piece by piece; `g` is used up. */
function outerStep(rule: OuterRule, theta: Float32Array, momentum: Float32Array, g: Float32Array, n: number) {
  followMomentum(rule.outer, momentum.slice(), momentum, g);
  if (rule.outer.kind === "muon") {
    for (const { offset, rows, columns } of rule.matrices)
      rule.orthogonalize(g.subarray(offset, offset + rows * columns), rows, columns);
  }
  stretchMatrices(rule, g);
  moveAgainst(rule.outer, theta, g, n);
  theta.set(g);
}

test("Muon turns the matrices and treats everything else as Nesterov does", () => {
  const g = vector(1, 0, 0, 0.25, -2, 3);
  const nesterov = { theta: new Float32Array(6), momentum: vector(0.5, 0, 0, 0, 1, 1) };
  const muon = { theta: new Float32Array(6), momentum: nesterov.momentum.slice() };
  const settings = { rate: 0.5, momentum: 0.5 };
  outerStep(ruleOf({ kind: "nesterov", ...settings }), nesterov.theta, nesterov.momentum, g.slice(), 1);
  outerStep(ruleOf({ kind: "muon", ...settings }), muon.theta, muon.momentum, g.slice(), 1);
  expect(muon.momentum).toEqual(nesterov.momentum);
  expect(muon.theta.subarray(4)).toEqual(nesterov.theta.subarray(4));
  const [a, , , b] = nesterov.theta;
  const [x, , , y] = muon.theta;
  expect(Math.abs(b! / a!)).toBeLessThan(0.3);
  expect(Math.abs(y! / x!)).toBeGreaterThan(0.6);
  expect(Math.hypot(x!, y!)).toBeCloseTo(Math.hypot(a!, b!), 5);
});

test("matrices move so many times as far, and all else and the momentum as ever", () => {
  const g = vector(1, 0, 0, 0.25, -2, 3);
  const stepOf = (outer: Outer) => {
    const [theta, momentum] = [new Float32Array(6), vector(0.5, 0, 0, 0, 1, 1)];
    outerStep(ruleOf(outer), theta, momentum, g.slice(), 9);
    return { theta: [...theta], momentum: [...momentum] };
  };
  const nesterov = { kind: "nesterov", rate: 1, momentum: 0.5 } as const;
  const [usual, far] = [stepOf(nesterov), stepOf({ ...nesterov, matrices: 1.5 })];
  expect(far.momentum).toEqual(usual.momentum);
  expect(far.theta).toEqual(usual.theta.map((value, i) => (i < 4 ? 1.5 * value : value)));
});

test("momentum 0 at rate 1 is the mean itself, whatever was before", () => {
  const theta = vector(10, 10);
  outerStep(
    { ...ruleOf({ kind: "nesterov", rate: 1, momentum: 0 }), matrices: [] },
    theta,
    vector(7, 7),
    vector(1, 2),
    1,
  );
  expect([...theta]).toEqual([9, 8]);
});

test("a version of few deltas takes a part of the rate, and all of it where nothing is said of that", () => {
  const moved = (deltas: number, fullAt?: number) => {
    const theta = vector(0);
    const outer = {
      kind: "nesterov",
      rate: 1,
      momentum: 0,
      ...(fullAt !== undefined && { fullAt }),
    } as const;
    outerStep({ ...ruleOf(outer), matrices: [] }, theta, vector(0), vector(-1), deltas);
    return theta[0];
  };
  expect([1, 3, 7, 50].map((deltas) => moved(deltas, 7))).toEqual([0.25, 0.5, 1, 1]);
  expect([1, 50].map((deltas) => moved(deltas))).toEqual([1, 1]); // the control: a run from before
});

test("a rate that rises does so from that of averaging, and one below that is what it is; the control: none that rises", () => {
  const moved = (rate: number, part?: number) => {
    const theta = vector(0);
    const outer = { kind: "nesterov", rate, momentum: 0, ...(part !== undefined && { part }) } as const;
    outerStep({ ...ruleOf(outer), matrices: [] }, theta, vector(0), vector(-1), 1);
    return theta[0];
  };
  expect([0, 0.25, 0.5, 1].map((part) => moved(3, part))).toEqual([1, 1.5, 2, 3]);
  expect([moved(0.5, 0), moved(3)]).toEqual([0.5, 3]);
});

test("deltas count by what they weigh: many next to nothing do not make one a crowd", () => {
  expect([effectiveCount([7]), effectiveCount([2, 2, 2, 2])]).toEqual([1, 4]);
  expect(effectiveCount([1, ...new Array<number>(1_000).fill(1e-9)])).toBeCloseTo(1, 5);
});
