import type { Codec } from "../../../protocol/codec/codec.ts";
import { ModelError } from "../../contract/config.ts";
import { BLOCK, NOT_FINITE, wordMap } from "./kernels/extraction.ts";
import type { Part } from "./vectors.ts";

/**
 * Writes what the kernels' words say of a part of the residual, which begins at a multiple of the codec's chunks, into the
 * payload of `length` values. Throws `not-finite`.
 */
export function pack(
  payload: Uint8Array<ArrayBuffer>,
  { spec }: Codec,
  words: Uint32Array<ArrayBuffer>,
  part: Part,
  length: number,
): void {
  const all = new Uint8Array(words.buffer);
  switch (spec.name) {
    case "f32":
      if (words.some((word) => (word & 0x7f80_0000) === 0x7f80_0000)) throw notFinite();
      payload.set(all.subarray(0, 4 * part.length), 4 * part.from);
      return;
    case "topk":
      packTopK(payload, spec, words, part, length);
      return;
    default: {
      const { scales } = wordMap(spec, part.length);
      const shared = 2 * Math.ceil(part.length / BLOCK);
      for (let at = 0; at < shared; at += 2)
        if ((all[at]! | (all[at + 1]! << 8)) === NOT_FINITE) throw notFinite();
      const before = part.from / BLOCK;
      payload.set(all.subarray(0, shared), 2 * before);
      const codes = payload.subarray(2 * Math.ceil(length / BLOCK) + (before * BLOCK * spec.bits) / 8);
      codes.set(all.subarray(4 * scales, 4 * scales + Math.ceil((part.length * spec.bits) / 8)));
    }
  }
}

function packTopK(
  payload: Uint8Array<ArrayBuffer>,
  spec: Extract<Codec["spec"], { name: "topk" }>,
  words: Uint32Array<ArrayBuffer>,
  part: Part,
  length: number,
): void {
  const { chunk, k, bits } = spec;
  const header = new DataView(payload.buffer);
  header.setUint16(0, chunk, true);
  header.setUint16(2, k, true);
  header.setUint8(4, bits);
  const width = Math.round(Math.log2(chunk));
  const entriesOf = (values: number) => Math.floor(values / chunk) * k + Math.min(k, values % chunk);
  const { scales } = wordMap(spec, part.length);
  const before = { scales: part.from / chunk, entries: entriesOf(part.from) };
  for (let at = 0; at < scales; at++) {
    if (words[at] === NOT_FINITE) throw notFinite();
    header.setUint16(HEADER + 2 * (before.scales + at), words[at]!, true);
  }
  const places = payload.subarray(HEADER + 2 * wordMap(spec, length).scales);
  const codes = places.subarray(Math.ceil((entriesOf(length) * width) / 8));
  for (let i = 0; i < entriesOf(part.length); i++) {
    const word = words[scales + i]!;
    const entry = before.entries + i;
    put(places, entry * width, word & 0xffff, width);
    put(codes, entry * bits, word >>> 16, bits);
  }
}

const HEADER = 8;

/** Writes an integer's low `width` bits from bit `at` on, low bits first. */
function put(into: Uint8Array, at: number, value: number, width: number): void {
  const shifted = value << (at & 7); // 12 bits and 7 fit
  for (let byte = at >> 3; byte <= (at + width - 1) >> 3; byte++)
    into[byte]! |= (shifted >>> ((byte - (at >> 3)) * 8)) & 0xff;
}

const notFinite = () => new ModelError("not-finite", "training led to a change that is no number");
