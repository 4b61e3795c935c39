import type { Gemm } from "../../ops.ts";

/**
 * How a product is cut up. `m` × `n` is what one invocation computes, `down` × `across` invocations a group
 * (quads of them, of kind `quad`).
 */
export interface Tile {
  /**
   * `register`: each invocation reads its operands from memory. `shared`: a workgroup stages them. `quad`: four
   * invocations exchange them; m is a multiple of 16, and depth is not heard.
   */
  readonly kind: "register" | "shared" | "quad";
  readonly m: number;
  readonly n: number;
  /** Values of k staged at a time (`shared`), or between two turns of the loop (`register` in mode TN). */
  readonly depth: number;
  readonly down: number;
  readonly across: number;
}

export type Mode = Gemm["mode"];
export const MODES = ["NN", "NT", "TN"] as const satisfies readonly Mode[];
/** The tile for each way the operands can lie. */
export type Tiles = Readonly<Record<Mode, Tile>>;

/** The key of a {@link Tiles}: {@link nameOf} each. */
export type TileNames = Readonly<Record<Mode, string>>;

export const namesOf = ({ NN, NT, TN }: Tiles): TileNames => ({
  NN: nameOf(NN),
  NT: nameOf(NT),
  TN: nameOf(TN),
});

export const nameOf = ({ kind, m, n, depth, down, across }: Tile): string =>
  `${kind} ${m}×${n}×${depth} by ${down}×${across}`;
