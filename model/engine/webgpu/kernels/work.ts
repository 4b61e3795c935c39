import { attentionPairs } from "../../flops.ts";
import type { Attention, AttentionBackward, Slot } from "../../ops.ts";
import { slotsOf } from "../../plan.ts";
import type { DeviceOp } from "./device-op.ts";
import type { Work } from "./kernel.ts";
import type { Product } from "./product.ts";

const bytesOfSlots = (slots: readonly Slot[]): number =>
  4 * slots.reduce((sum, { length }) => sum + length, 0);

/** The work of a dispatch that only passes over these slots. */
export const passOver = (...slots: readonly Slot[]): Work => ({ flops: 0, bytes: bytesOfSlots(slots) });

/** The same, over all that an op names. */
export const passOverAll = (op: { readonly op: DeviceOp["op"] }): Work => passOver(...slotsOf(op));

export const productWork = (op: Product): Work => ({
  flops: 2 * (op.rows ?? op.m) * op.n * op.k * (op.batch?.count ?? 1),
  bytes: bytesOfSlots(slotsOf(op)),
});

/** `products` of the size of q·k for each pair that the causal mask lets through. */
export const attentionWork = (op: Attention | AttentionBackward, products: number): Work => ({
  flops: products * 2 * op.size * attentionPairs(op),
  bytes: bytesOfSlots(slotsOf(op)),
});
