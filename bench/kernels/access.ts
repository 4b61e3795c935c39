import type { ModelShape } from "../../model/contract/config.ts";
import type { Gemm } from "../../model/engine/ops.ts";
import { fittedTo } from "../../model/engine/webgpu/kernels/gemm.ts";
import { COLUMN_LANES } from "../../model/engine/webgpu/kernels/layernorm.ts";
import { sizeOf } from "../../model/engine/webgpu/kernels/rows.ts";
import type { Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import { likeliest } from "../../model/engine/webgpu/tuning.ts";
import { type Hardware, trainingOf } from "./counts.ts";

/**
 * What lanes that work side by side ask memory for, worked out from where a kernel's loads and stores lie. Only of the loops
 * that a kernel is in most of its time, and only of kernels whose lanes do not all lie in a row.
 */
export interface Access {
  /** Bytes of the sectors that are fetched, over those that are used. */
  readonly fetched: number;
  /** Turns that workgroup memory takes, over those it would take if no two lanes asked one bank for different values; null without any. */
  readonly conflicts: number | null;
}

/** Lanes that ask at the same time. */
const LANES = 32;
/** Values of 4 bytes in a sector, the least that a GPU fetches. */
const SECTOR = 8;
/** Banks of workgroup memory, each a value wide. */
const BANKS = 32;

/** Sums over requests, each of which is where the lanes' values lie. */
class Tally {
  #done = 0;
  #least = 0;

  /** A fetch of `width` values a lane. */
  fetch(places: readonly number[], width: number): void {
    const used = new Set(places.flatMap((place) => Array.from({ length: width }, (_, i) => place + i)));
    this.#done += new Set([...used].map((place) => Math.floor(place / SECTOR))).size * SECTOR;
    this.#least += used.size;
  }

  /** A value a lane in workgroup memory. */
  bank(places: readonly number[]): void {
    const distinct = new Set(places);
    const turns = Map.groupBy(distinct, (place) => place % BANKS);
    this.#done += Math.max(...[...turns.values()].map((asked) => asked.length));
    this.#least += Math.ceil(distinct.size / BANKS);
  }

  get ratio(): number {
    return this.#done / this.#least;
  }
}

/** The workgroup's invocations, as many at a time as ask together. */
function subgroups(size: number): number[][] {
  const all = Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: Math.ceil(size / LANES) }, (_, i) => all.slice(i * LANES, (i + 1) * LANES));
}

/** A product in workgroup tiles (kernels/gemm-shared.ts): what is staged at a turn of its loop, and what is read of that. */
export function productAccess({ mode, k, n, stride }: Gemm, tile: Tile): Access {
  const { m: tm, n: tn, down, across, depth, slices = 1 } = tile;
  const size = down * across * slices;
  const [staged, shared] = [new Tally(), new Tally()];
  const sides = [
    { along: mode !== "TN", side: tm * down, row: mode === "NT" ? k : stride },
    { along: mode === "NT", side: tn * across, row: mode === "NT" ? k : n },
  ];
  for (const { along, side, row } of sides)
    for (let first = 0; first < (side * depth) / 4; first += size)
      for (const lanes of subgroups(size)) {
        const places = lanes.map((lane) => {
          const unit = first + lane;
          return along
            ? { i: Math.floor(unit / (depth / 4)), k: (unit % (depth / 4)) * 4 }
            : { i: (unit % (side / 4)) * 4, k: Math.floor(unit / (side / 4)) };
        });
        staged.fetch(
          places.map(({ i, k }) => (along ? i * row + k : k * row + i)),
          4,
        );
        for (let c = 0; c < 4; c++)
          shared.bank(places.map(({ i, k }) => (along ? (k + c) * side + i : k * side + i + c)));
      }
  for (const lanes of subgroups(size)) {
    const at = lanes.map((lane) => ({
      x: lane % across,
      y: Math.floor(lane / across) % down,
      z: Math.floor(lane / (across * down)) * (depth / slices),
    }));
    for (let k = 0; k < depth / slices; k++) {
      for (let j = 0; j < tn; j++) shared.bank(at.map(({ x, z }) => (z + k) * tn * across + x * tn + j));
      for (let i = 0; i < tm; i++) shared.bank(at.map(({ y, z }) => (z + k) * tm * down + y * tm + i));
    }
  }
  return { fetched: staged.ratio, conflicts: shared.ratio };
}

/** Attention whose positions are shared by four lanes (kernels/attention-lanes.ts): a key's row, or a query's, at a turn. */
function headAccess({ heads, width }: ModelShape): Access {
  const rows = width / heads / 4;
  const loads = new Tally();
  for (let head = 0; head < heads; head++)
    for (let from = 0; from < rows; from += 4) {
      const parts = Math.min(4, rows - from);
      const places = Array.from(
        { length: LANES },
        (_, lane) => 4 * (head * rows + from + ((lane % 4) % parts)),
      );
      loads.fetch(places, 4);
    }
  return { fetched: loads.ratio, conflicts: null };
}

/** A layer norm's backward: what its weights' and biases' gradients are summed from. */
function columnAccess({ width }: ModelShape): Access {
  const size = sizeOf({ lanes: 64 });
  const loads = new Tally();
  const across = size / COLUMN_LANES;
  for (const lanes of subgroups(size))
    loads.fetch(
      lanes.map((lane) => Math.floor(lane / across) * width + (lane % across)),
      1,
    );
  return { fetched: loads.ratio, conflicts: null };
}

/** By a kernel's name, how a step's kernels reach memory; of several products of one mode, the worst figures. */
export function accessOf(shape: ModelShape, hardware: Hardware): (name: string) => Access | undefined {
  const tiles = likeliest(hardware);
  const products = trainingOf(shape).first.filter((op) => op.op === "gemm");
  const modes = Map.groupBy(products, ({ mode }) => mode);
  const byMode = [...modes].map(([mode, ops]) => {
    const all = ops.map((op) => productAccess(op, fittedTo(op, tiles[mode])));
    return [`${mode}-shared`, worst(all)] as const;
  });
  return (name) => {
    if (name === "layernorm-backward") return columnAccess(shape);
    if (/^attention.*-lanes$/.test(name)) return headAccess(shape);
    const parts = byMode.filter(([mode]) => name.startsWith("gemm") && name.includes(mode));
    return parts.length > 0 ? worst(parts.map(([, access]) => access)) : undefined;
  };
}

const worst = (all: readonly Access[]): Access => ({
  fetched: Math.max(...all.map(({ fetched }) => fetched)),
  conflicts: Math.max(...all.map(({ conflicts }) => conflicts ?? 0)),
});
