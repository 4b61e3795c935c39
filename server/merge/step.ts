import type { Matrix } from "../../model/contract/layout.ts";
import { type CodecSpec, STRETCH } from "../../protocol/codec/codec.ts";
import { placePart } from "../../protocol/codec/parts.ts";
import { codecOf, frameOf } from "../../protocol/frame.ts";
import { followMomentum, moveAgainst, type OuterRule, stretchMatrices } from "./outer.ts";
import type { Vectors } from "./vectors.ts";

/** The part of a run that decides how its versions follow from its deltas. */
export interface MergeRule extends OuterRule {
  /** The codec of diffs. */
  readonly downlink: CodecSpec;
  /** Divides the weighted sum, where it is more than the sum of the weights; absent: that sum. */
  readonly total?: number;
}

/** Values worked on at once: whole stretches, and few enough that what one loop wrote is in a processor's cache for the next. */
export const PIECE = 2 * STRETCH;

/**
 * A version being made from the one before it, in parts that any number of threads may share out: {@link gather} for every
 * value, {@link turn} for every matrix, {@link finish} for every value. Each value's arithmetic is the same however the
 * vectors are cut, so the bytes are too.
 */
export interface Step {
  /** Of the version before; they stay as they are. */
  readonly before: Pick<Vectors, "theta" | "momentum">;
  readonly next: {
    /** The old x, which becomes the new one. */
    readonly x: Float32Array;
    /** The mean delta, which becomes θ. */
    readonly theta: Float32Array;
    readonly momentum: Float32Array;
  };
  /** The diff's. */
  readonly payload: Uint8Array;
  /** The sum of the mean's squares in each piece: added up in the pieces' order, whoever did which. */
  readonly squares: Float64Array;
}

/** A part of the vector, from and to multiples of {@link PIECE} or its end. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** `bytes` gives the memory for what the step needs beside the vectors, filled with zeros. */
export function startStep(
  { downlink }: Pick<MergeRule, "downlink">,
  before: Step["before"],
  next: Step["next"],
  bytes: (count: number) => ArrayBufferLike = (count) => new ArrayBuffer(count),
): Step {
  const { length } = next.x;
  return {
    ...{ before, next },
    payload: new Uint8Array(bytes(codecOf(downlink).payloadBytes(length))),
    squares: new Float64Array(bytes(8 * Math.ceil(length / PIECE))),
  };
}

/** The mean's squares, and the momentum. */
export function gather(
  { outer }: Pick<MergeRule, "outer">,
  { before, next, squares }: Step,
  part: Part,
): void {
  for (const { from, to } of pieces(part)) {
    const g = next.theta.subarray(from, to);
    let sum = 0;
    for (let i = 0; i < g.length; i++) sum += g[i]! * g[i]!;
    squares[from / PIECE] = sum;
    followMomentum(outer, before.momentum.subarray(from, to), next.momentum.subarray(from, to), g);
  }
}

/** Makes one matrix orthogonal, behind {@link gather} of all its values. */
export function turn(
  { orthogonalize }: Pick<MergeRule, "orthogonalize">,
  { next }: Step,
  { offset, rows, columns }: Matrix,
): void {
  orthogonalize(next.theta.subarray(offset, offset + rows * columns), rows, columns);
}

/** θ, its part of the diff, and x. Throws `not-finite`. `deltas` is what {@link moveAgainst} says. */
export function finish(
  { outer, downlink, matrices }: Pick<MergeRule, "outer" | "downlink" | "matrices">,
  { before, next, payload }: Step,
  deltas: number,
  part: Part,
): void {
  const codec = codecOf(downlink);
  const missing = new Float32Array(Math.min(PIECE, part.to - part.from));
  for (const { from, to } of pieces(part)) {
    const [theta, x] = [next.theta.subarray(from, to), next.x.subarray(from, to)];
    stretchMatrices({ outer, matrices }, theta, from);
    moveAgainst(outer, before.theta.subarray(from, to), theta, deltas);
    const behind = missing.subarray(0, to - from);
    for (let i = 0; i < behind.length; i++) behind[i] = theta[i]! - x[i]!;
    const encoded = codec.encode(behind);
    placePart(downlink, encoded, payload, next.x.length, { from, to });
    codec.add(encoded, x, 1);
  }
}

/** The frame that takes a replica from the old x to the new one, in memory of its own. */
export const diffOf = ({ downlink }: Pick<MergeRule, "downlink">, { payload, next }: Step) =>
  frameOf(downlink, next.x.length, payload);

/** L2 norm of the deltas' mean. */
export const normOf = ({ squares }: Step): number => Math.sqrt(squares.reduce((sum, more) => sum + more, 0));

function* pieces({ from, to }: Part): Generator<Part> {
  for (let at = from; at < to; at += PIECE) yield { from: at, to: Math.min(at + PIECE, to) };
}

/** Shares a vector out among this many, as evenly as whole pieces can be. */
export function partsFor(threads: number, length: number): readonly Part[] {
  const count = Math.ceil(length / PIECE);
  const edge = (thread: number) => Math.min(length, Math.floor((thread * count) / threads) * PIECE);
  return Array.from({ length: threads }, (_, thread) => ({ from: edge(thread), to: edge(thread + 1) }));
}
