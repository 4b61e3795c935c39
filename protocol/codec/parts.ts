import { bytesFor } from "./bits.ts";
import type { CodecSpec } from "./codec.ts";
import { BLOCK } from "./scale.ts";
import { entriesOf, HEADER_BYTES, placeBits } from "./topk.ts";

/**
 * Bytes of the sections of a payload of `length` values, behind its head. In each the values lie one after another, whole
 * stretches in whole bytes.
 */
export function sectionsOf(spec: CodecSpec, length: number): readonly number[] {
  if (spec.name === "f32") return [4 * length];
  if (spec.name !== "topk") return [2 * Math.ceil(length / BLOCK), bytesFor(length, spec.bits)];
  const { chunk, bits } = spec;
  const entries = entriesOf(spec, length);
  return [2 * Math.ceil(length / chunk), bytesFor(entries, placeBits(chunk)), bytesFor(entries, bits)];
}

/**
 * Copies the payload of the values from `from`, a multiple of STRETCH, to `to` to its places in the payload of all `length`
 * values: laid down part by part, it is what one encoder writes of them all.
 */
export function placePart(
  spec: CodecSpec,
  part: Uint8Array,
  whole: Uint8Array,
  length: number,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  let at = spec.name === "topk" ? HEADER_BYTES : 0;
  let start = at;
  whole.set(part.subarray(0, at));
  const [all, before] = [sectionsOf(spec, length), sectionsOf(spec, from)];
  for (const [i, bytes] of sectionsOf(spec, to - from).entries()) {
    whole.set(part.subarray(at, at + bytes), start + before[i]!);
    at += bytes;
    start += all[i]!;
  }
}
