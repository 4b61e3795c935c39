import type { Gpu } from "./adapter.ts";
import { type Mode, nameOf, type Tile, type TileNames, type Tiles } from "./kernels/tile.ts";
import type { LateKernels, Tuning } from "./lower.ts";

const register = (m: number, n: number, depth: number, down: number, across: number): Tile => ({
  kind: "register",
  m,
  n,
  depth,
  down,
  across,
});
const shared = (m: number, n: number, down: number, across: number): Tile => ({
  kind: "shared",
  m,
  n,
  depth: 16,
  down,
  across,
  split: true,
});

const quad = (m: number, n: number, down: number, across: number): Tile => ({
  kind: "quad",
  m,
  n,
  depth: 1,
  down,
  across,
});

type Trials = readonly [Tile, ...Tile[]];
type Candidates = Readonly<Record<Mode, Trials>>;
/** The adapter's properties that the choice of kernels depends on. */
type Kind = Pick<Gpu, "software" | "subgroups"> & Partial<Pick<Gpu, "eights">>;

/**
 * Tiles worth trying, the likeliest first; the probe keeps the first unless another is clearly faster, and then asks whether
 * small products are better off without splitting it. For
 * hardware the order follows published evidence (gemm-shared.ts), and quads, for which there is none, come last.
 * A software adapter is offered no staging: its barriers suspend and resume every invocation. On SwiftShader
 * quads of 32×8 did 3.2 GFLOP/s a core and of 16×8 2.7; registers alone 2.2 (16×16), 1.6 (8×8) and 1.1 (4×4).
 */
export function candidates({ software, subgroups }: Kind): Candidates {
  const trials = software ? softwareTrials(subgroups) : hardwareTrials(subgroups);
  return { NN: trials, NT: trials, TN: trials };
}

const softwareTrials = (subgroups: boolean): Trials =>
  subgroups
    ? [quad(32, 8, 1, 1), register(8, 8, 4, 4, 4)]
    : [register(16, 16, 4, 2, 2), register(8, 8, 4, 4, 4)];

const hardwareTrials = (subgroups: boolean): Trials => [
  shared(4, 4, 16, 16),
  shared(8, 8, 8, 8),
  shared(4, 4, 8, 8),
  register(4, 4, 4, 8, 8),
  ...(subgroups ? [quad(16, 4, 4, 4)] : []),
];

/** The tiles that win where nothing is measured. */
export function likeliest(gpu: Kind): Tiles {
  const { NN, NT, TN } = candidates(gpu);
  return { NN: NN[0], NT: NT[0], TN: TN[0] };
}

/**
 * The tiles of these names; undefined where this release does not offer one of them on this adapter, so that
 * nothing but a candidate ever runs, whatever was remembered.
 */
export function tilesNamed(gpu: Kind, names: TileNames): Tiles | undefined {
  const list = candidates(gpu);
  const find = (mode: Mode) => list[mode].flatMap(waysOf).find((tile) => nameOf(tile) === names[mode]);
  const [NN, NT, TN] = [find("NN"), find("NT"), find("TN")];
  return NN && NT && TN && { NN, NT, TN };
}

/** The tile, and where it may be split the same whole. */
export const waysOf = (tile: Tile): readonly Tile[] =>
  tile.split ? [tile, { ...tile, split: false }] : [tile];

/** Row-wise kernels and attention by kind of adapter (kernels/rows.ts and kernels/attention.ts say why). */
export function tuningFor(
  { software, subgroups, eights = false }: Kind,
  tiles: Tiles,
  late: LateKernels = {},
): Tuning {
  return software
    ? { rows: { lanes: 1 }, heads: { each: subgroups ? 2 : 4, quads: subgroups }, tiles, ...late }
    : {
        rows: { lanes: 64 },
        heads: { each: 1, quads: false, shared: subgroups ? "quad" : "workgroup", eights },
        tiles,
        ...late,
      };
}
