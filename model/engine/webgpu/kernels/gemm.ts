import { quadGemm } from "./gemm-quad.ts";
import { registerGemm } from "./gemm-register.ts";
import { sharedGemm } from "./gemm-shared.ts";
import { type Kernel, type Unit, unitOf } from "./kernel.ts";
import { alone, beside, type Part } from "./part.ts";
import { type Product, withPadding } from "./product.ts";
import { fitted, type Tile, type Tiles } from "./tile.ts";

/**
 * Where a side is not a multiple of four, or a slot does not begin at one, operands are read one value at a
 * time. Correct for any shape, and slower.
 */
const PLAIN: Tile = { kind: "register", m: 4, n: 4, down: 8, across: 8, depth: 4 };

export const gemm = (product: Product, tiles: Tiles): Kernel => alone(partOf(product, tiles));

/** One product, or one and that beside it (Gemm.beside): these in one dispatch where that is possible. */
export function gemms(products: readonly Product[], tiles: Tiles): Kernel[] {
  const parts = products.map((product) => partOf(product, tiles));
  const [one, two] = parts;
  const both = one && two && beside(one, two);
  return both ? [both] : parts.map(alone);
}

function partOf(product: Product, tiles: Tiles): Part {
  const op = withPadding(product);
  const unit = gemmUnit(op);
  const tile = unit === 1 ? PLAIN : fittedTo(op, tiles[op.mode]);
  switch (tile.kind) {
    case "register":
      return registerGemm(op, tile, unit);
    case "shared":
      return sharedGemm(op, tile);
    case "quad":
      return quadGemm(op, tile);
  }
}

/** The tile that is taken for the product where `tile` was chosen for its mode. */
export const fittedTo = ({ m, rows = m, n, k, batch }: Product, tile: Tile): Tile =>
  fitted(tile, rows, n, k, batch?.count);

/** 4 where every row of every operand begins at a multiple of four values. */
export function gemmUnit(op: Product): Unit {
  const { a, b, out, bias, residual, pre, biasGradient } = op;
  const { mode, n, k, stride, lead = 0 } = op;
  const rows = { NN: [stride, n], NT: [k, stride], TN: [stride, n] }[mode];
  return unitOf([a, b, out, bias, residual, pre, biasGradient], ...rows, lead);
}
