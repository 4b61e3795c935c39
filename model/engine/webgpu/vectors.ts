import type { Optimizer } from "../../contract/config.ts";
import { type Layout, layoutOf } from "../../contract/layout.ts";
import type { TrainerOptions } from "../../contract/trainer.ts";
import type { Segment } from "../ops.ts";
import { segmentsOf, squaresOf } from "../second-moments.ts";

/** A run of a vector's values that lies in a buffer of its own, and so in a binding of its own. */
export interface Part {
  /** The first of its values in the whole vector. */
  readonly from: number;
  readonly length: number;
}

/**
 * How the vectors that are as long as the model lie in buffers, none of which is larger than what a device binds. A tensor lies
 * in one of them, and a weight with its bias. Only the token table may lie in several, cut between rows.
 */
export interface Vectors {
  /** Of the whole vector. */
  readonly length: number;
  /** Of parameters, gradients, m and loaded. */
  readonly weights: readonly Part[];
  /** What AdamW moves in each of them, counted from the part's beginning. */
  readonly segments: readonly (readonly Segment[])[];
  /** Of v, as it is packed (second-moments.ts): one for each of `weights`. */
  readonly squares: readonly Part[];
  /** Of the residual: an encoder's chunks begin wherever tensors do not, so it is cut between those. */
  readonly residual: readonly Part[];
}

/** Rows between two places where the token table may be cut: a multiple of four, so that its logits are read so. */
const ROWS = 64;
/** Values that are a multiple of every codec's blocks and chunks. */
const CHUNK = 4_096;

/** The vectors in parts of at most `most` values, which hold the {@link largestPiece}. */
export function vectorsOf(
  { shape, optimizer }: Pick<TrainerOptions, "shape" | "optimizer">,
  most: number,
): Vectors {
  const layout = layoutOf(shape);
  return { ...partsOf(layout, optimizer, most), residual: residualParts(layout.length, most) };
}

/** Vectors that are a part each: of `length` values, and of `squares` in v. */
export function inOnePart(length: number, squares = length): Vectors {
  const whole = [{ from: 0, length }];
  const segments = [[{ offset: 0, length, decays: false }]];
  return { length, weights: whole, segments, squares: [{ from: 0, length: squares }], residual: whole };
}

/** The largest run of values that is in one part whatever it takes. */
export const largestPiece = (layout: Layout): Piece =>
  piecesOf(layout).reduce((a, b) => (a.length >= b.length ? a : b));

function partsOf(
  layout: Layout,
  optimizer: Optimizer,
  most: number,
): Pick<Vectors, "length" | "weights" | "segments" | "squares"> {
  const weights: Part[] = [];
  for (const { from, length } of piecesOf(layout)) {
    const last = weights.at(-1);
    if (last && last.length + length <= most)
      weights[weights.length - 1] = { ...last, length: last.length + length };
    else weights.push({ from, length });
  }
  const all = segmentsOf(layout, optimizer);
  const segments = weights.map((part) => all.flatMap((segment) => within(segment, part)));
  let from = 0;
  const squares = segments.map((of) => {
    const part = { from, length: squaresOf(of) };
    from += part.length;
    return part;
  });
  return { length: layout.length, weights, segments, squares };
}

/** A run of values that stay together: a module's weight and bias, or some rows of the token table. */
interface Piece extends Part {
  readonly name: string;
}

function piecesOf(layout: Layout): Piece[] {
  const pieces: Piece[] = [];
  for (const { name, shape, offset, length } of layout.tensors) {
    const module = name.replace(/\.(weight|bias)$/, "");
    const last = pieces.at(-1);
    if (module === "wte") {
      const rows = ROWS * shape[1]!;
      for (let at = 0; at < length; at += rows)
        pieces.push({
          name: `${ROWS} rows of ${module}`,
          from: offset + at,
          length: Math.min(rows, length - at),
        });
    } else if (last?.name === module) pieces[pieces.length - 1] = { ...last, length: last.length + length };
    else pieces.push({ name: module, from: offset, length });
  }
  return pieces;
}

/** What of a segment lies in the part, counted from the part's beginning. */
function within({ offset, length, decays }: Segment, part: Part): Segment[] {
  const from = Math.max(offset, part.from);
  const end = Math.min(offset + length, part.from + part.length);
  return from < end ? [{ offset: from - part.from, length: end - from, decays }] : [];
}

/** One part where it fits. Else parts of half of what fits, since an encoder's words may be more than the values. */
function residualParts(length: number, most: number): Part[] {
  const each = length <= most ? length : Math.max(CHUNK, Math.floor(most / 2 / CHUNK) * CHUNK);
  return Array.from({ length: Math.ceil(length / each) }, (_, i) => ({
    from: i * each,
    length: Math.min(each, length - i * each),
  }));
}

/** A run of values that lies in one part of each of two ways to cut a vector: which, and where it begins in them. */
export interface Overlap {
  readonly one: number;
  readonly two: number;
  readonly oneFrom: number;
  readonly twoFrom: number;
  readonly length: number;
}

export function overlaps(ones: readonly Part[], twos: readonly Part[]): Overlap[] {
  return ones.flatMap((a, one) =>
    twos.flatMap((b, two) => {
      const from = Math.max(a.from, b.from);
      const length = Math.min(a.from + a.length, b.from + b.length) - from;
      return length > 0 ? [{ one, two, oneFrom: from - a.from, twoFrom: from - b.from, length }] : [];
    }),
  );
}
