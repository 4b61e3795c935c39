import { BitReader, BitWriter } from "../../protocol/codec/bits.ts";
import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { BLOCK } from "../../protocol/codec/scale.ts";
import { codecIn, decodeFrame, encodeFrame, FRAME_HEADER_BYTES } from "../../protocol/frame.ts";

/** Values that are turned round: this many of those looked at can be chosen in more ways than anybody can try. */
const TURNED = 24;
/** Values other than zero among which they are the smallest. */
const LOOKED_AT = 512;
/** Places drawn for these, at most, and of a tiny delta a few times as many as it has: a sparse one is zero nearly everywhere. */
const MAX_DRAWS = 32_768;
const DRAWS_EACH = 8;

/**
 * A delta as auditors get it: with the signs of a few of its smallest values turned. What it does to a loss hardly changes,
 * and its hash is another than the one that a version's public record (rule G1) names beside the sender's key. `draw` gives
 * numbers in [0, 2³²) that nobody can guess.
 */
export function disguised(
  frame: Uint8Array<ArrayBuffer>,
  parameters: number,
  draw: () => number,
): Uint8Array<ArrayBuffer> {
  const values = decodeFrame(frame, parameters);
  const places = new Set<number>();
  const most = Math.min(MAX_DRAWS, DRAWS_EACH * parameters);
  for (let n = 0; n < most && places.size < LOOKED_AT; n++) {
    const place = draw() % parameters;
    if (values[place] !== 0) places.add(place);
  }
  const sizeAt = (place: number) => Math.abs(values[place]!);
  const count = Math.floor((TURNED * places.size) / LOOKED_AT); // of a tiny delta none: each is a part of what it does
  const turned = [...places].sort((a, b) => sizeAt(a) - sizeAt(b)).slice(0, count);
  const codec = codecIn(frame, parameters);
  if (codec.name === "midrise" || codec.name === "dense")
    return withNegated(frame, parameters, codec, new Set(turned));
  for (const place of turned) values[place] = -values[place]!;
  return encodeFrame(codec, values);
}

/** Of a frame of blocks, whose values need not come out the same when they are encoded once more: code by code. */
function withNegated(
  frame: Uint8Array<ArrayBuffer>,
  length: number,
  { name, bits }: Extract<CodecSpec, { name: "dense" | "midrise" }>,
  places: ReadonlySet<number>,
): Uint8Array<ArrayBuffer> {
  const mask = (1 << bits) - 1;
  const result = frame.slice();
  const at = FRAME_HEADER_BYTES + 2 * Math.ceil(length / BLOCK);
  result.fill(0, at);
  const codes = new BitReader(frame, at, bits);
  const written = new BitWriter(result, at, bits);
  for (let place = 0; place < length; place++) {
    const code = codes.next();
    const negated = name === "midrise" ? mask - code : -code & mask;
    written.put(places.has(place) ? negated : code);
  }
  return result;
}
