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

/**
 * Tiles worth trying, the likeliest first; the probe keeps the first unless another is clearly faster. For
 * hardware the order follows published evidence (gemm-shared.ts), for a software adapter our measurements on
 * SwiftShader. Both lists hold both kinds: what an adapter says about itself decides nothing but the order.
 */
export function candidates({ software }: Pick<Gpu, "software">): Readonly<Record<Mode, readonly Tile[]>> {
  const hardware = [shared(4, 4, 16, 16), shared(8, 8, 8, 8), shared(4, 4, 8, 8), register(4, 4, 4, 8, 8)];
  if (!software) return { NN: hardware, NT: hardware, TN: hardware };
  return {
    NN: [register(8, 8, 4, 4, 4), register(16, 16, 4, 2, 2)],
    NT: [register(8, 8, 4, 4, 4), register(16, 16, 4, 2, 2)],
    TN: [register(16, 16, 1, 4, 4), register(8, 8, 4, 4, 4)],
  };
}

/** Row-wise kernels and attention by kind of adapter (kernels/rows.ts and kernels/attention.ts say why). */
export function tuningFor({ software }: Pick<Gpu, "software">, tiles: Tiles): Tuning {
  return software
    ? { rows: { lanes: 1 }, heads: { each: 2 }, tiles }
    : { rows: { lanes: 64 }, heads: { each: 1 }, tiles };
}
