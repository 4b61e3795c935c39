import type { Gpu } from "./adapter.ts";
import type { Mode, Tile, Tiles } from "./kernels/tile.ts";
import type { Tuning } from "./lower.ts";

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
});

type Trials = readonly [Tile, ...Tile[]];
type Candidates = Readonly<Record<Mode, Trials>>;

/**
 * Tiles worth trying, the likeliest first; the probe keeps the first unless another is clearly faster. For
 * hardware the order follows published evidence (gemm-shared.ts). A software adapter is offered no staging:
 * its barriers suspend and resume every invocation. There 16×16 did 2.2–2.5 GFLOP/s a core on SwiftShader,
 * 8×8 1.5–1.8, 4×4 1.1.
 */
export function candidates({ software }: Pick<Gpu, "software">): Candidates {
  const hardware: Trials = [
    shared(4, 4, 16, 16),
    shared(8, 8, 8, 8),
    shared(4, 4, 8, 8),
    register(4, 4, 4, 8, 8),
  ];
  if (!software) return { NN: hardware, NT: hardware, TN: hardware };
  const registers: Trials = [register(16, 16, 4, 2, 2), register(8, 8, 4, 4, 4)];
  return { NN: registers, NT: registers, TN: registers };
}

/** The tiles that win where nothing is measured. */
export function likeliest(gpu: Pick<Gpu, "software">): Tiles {
  const { NN, NT, TN } = candidates(gpu);
  return { NN: NN[0], NT: NT[0], TN: TN[0] };
}

/** Row-wise kernels and attention by kind of adapter (kernels/rows.ts and kernels/attention.ts say why). */
export function tuningFor({ software }: Pick<Gpu, "software">, tiles: Tiles): Tuning {
  return software
    ? { rows: { lanes: 1 }, heads: { each: 4 }, tiles }
    : { rows: { lanes: 64 }, heads: { each: 1 }, tiles };
}
