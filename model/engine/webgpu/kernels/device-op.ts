import type { Embed, EmbedBackward, Norm, Op, Slot } from "../../ops.ts";
import type { index, Kernel, line, main, Work } from "./kernel.ts";
import type { Product } from "./product.ts";

/** An op, or a piece of one whose slots lie in several buffers. A dispatch binds one buffer of each arena. */
export type DeviceOp = Op | Product | WithKernel<EmbeddingPiece> | NormOfParts;

export type EmbeddingPiece = EmbedRows | EmbedPositions | EmbedRowsBackward | EmbedPositionsBackward;

/**
 * A piece that brings its kernel along, whose code comes with what makes pieces. What the kernel needs of other modules it is given, as in
 * halves.ts.
 */
export type WithKernel<Piece> = Piece & {
  readonly kernel: (entry: typeof main, groups: typeof line, at: typeof index, work: Work) => Kernel;
};

/** out[r] = table[tokens[r] − begin] for the rows r whose token is one of `count` from `begin` on. */
export interface EmbedRows extends Omit<Embed, "op" | "positions"> {
  readonly op: "embed-rows";
  readonly begin: number;
  readonly count: number;
}

/** out[r] += positions[r mod T], when out has all rows of the table. */
export interface EmbedPositions extends Pick<Embed, "positions" | "out" | "rows" | "context" | "width"> {
  readonly op: "embed-positions";
}

/** The table's half of {@link EmbedBackward}, for as many rows of the table as dTable has. */
export interface EmbedRowsBackward
  extends Pick<EmbedBackward, "dOut" | "starts" | "order" | "dTable" | "width"> {
  readonly op: "embed-rows-backward";
}

/** The positions' half. */
export interface EmbedPositionsBackward
  extends Pick<EmbedBackward, "dOut" | "dPositions" | "rows" | "context" | "width" | "accumulate"> {
  readonly op: "embed-positions-backward";
}

/** {@link Norm} of all parts together. */
export interface NormOfParts {
  readonly op: "norm-of-parts";
  readonly gradients: readonly Slot[];
  readonly partials: Slot;
}
