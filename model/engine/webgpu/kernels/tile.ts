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
  /** Of kind `shared`: this many times `down` × `across` invocations a group, each with its share of `depth`. 1 unless given. */
  readonly slices?: number;
  /** Whether products of few workgroups take smaller tiles instead, and more slices of k: see {@link fitted}. */
  readonly split?: boolean;
}

/** Workgroups that a product has at least where its tile may be split: with fewer, most of a GPU has nothing to do. */
export const MIN_GROUPS = 32;
/** Slices of a tile, at most: their sums, of half of them at a time, take as much workgroup memory as what is staged. */
const MAX_SLICES = 16;

/** Workgroups of one [m, n] with a tile. */
export const groupsFor = (tile: Tile, m: number, n: number): readonly [across: number, down: number] => [
  Math.ceil(n / (tile.n * tile.across)),
  Math.ceil(m / (tile.m * tile.down)),
];

/**
 * The tile for this many products [m, k]·[k, n] at once: where `split` and the workgroups are fewer than {@link MIN_GROUPS}, a
 * quarter of it, or a sixteenth, with as many invocations, which share k.
 */
export function fitted(tile: Tile, m: number, n: number, k: number, count = 1): Tile {
  if (!tile.split) return tile;
  const [across, down] = groupsFor(tile, m, n);
  const smaller = quarterOf(tile);
  const useful = k >= smaller.depth && (smaller.slices ?? 1) <= MAX_SLICES;
  return across * down * count >= MIN_GROUPS || !useful ? tile : fitted(smaller, m, n, k, count);
}

/** Half as high and half as wide, with four times the slices and twice the depth: as much is staged at a time. */
const quarterOf = (tile: Tile): Tile => ({
  ...tile,
  down: tile.down / 2,
  across: tile.across / 2,
  depth: 2 * tile.depth,
  slices: 4 * (tile.slices ?? 1),
});

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

export const nameOf = ({ kind, m, n, depth, down, across, split }: Tile): string =>
  `${kind} ${m}×${n}×${depth} by ${down}×${across}${split ? ", split" : ""}`;
