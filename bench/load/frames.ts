import { Random } from "../../model/lib/random.ts";
import type { TopK } from "../../protocol/codec/topk.ts";
import { encodeFrame, FRAME_HEADER_BYTES, frameOf } from "../../protocol/frame.ts";

/** Chunks in a part: a multiple of 8, so that a part's places and codes end at a byte. */
const PART_CHUNKS = 160;
/** Different parts to put frames together from. */
const PARTS = 48;
/** Before a top-k payload's first scale. */
const PAYLOAD_HEADER_BYTES = 8;

interface Part {
  readonly scales: Uint8Array;
  readonly places: Uint8Array;
  readonly codes: Uint8Array;
}

/**
 * Makes as many different valid top-k frames as are asked for, each in the time of a copy: the codec encodes a
 * few dozen stretches of a made-up delta once, and a frame is any sequence of them. What a volunteer's device
 * would do is not the server's load.
 */
export class FrameMill {
  readonly #spec: TopK;
  readonly #length: number;
  readonly #parts: readonly Part[];
  readonly #tail: Part;
  readonly #random = new Random(11);

  constructor(spec: TopK, length: number) {
    this.#spec = spec;
    this.#length = length;
    const part = PART_CHUNKS * spec.chunk;
    this.#parts = Array.from({ length: PARTS }, () => this.#encode(part));
    this.#tail = this.#encode(length % part);
  }

  /** A frame like no other. */
  frame(): Uint8Array<ArrayBuffer> {
    const count = Math.floor(this.#length / (PART_CHUNKS * this.#spec.chunk));
    const parts = Array.from({ length: count }, () => this.#parts[this.#random.below(PARTS)]!);
    parts.push(this.#tail);
    const header = new Uint8Array(PAYLOAD_HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint16(0, this.#spec.chunk, true);
    view.setUint16(2, this.#spec.k, true);
    view.setUint8(4, this.#spec.bits);
    const sections = (["scales", "places", "codes"] as const).flatMap((name) =>
      parts.map((one) => one[name]),
    );
    return frameOf(this.#spec, this.#length, Buffer.concat([header, ...sections]));
  }

  #encode(length: number): Part {
    const { chunk, k, bits } = this.#spec;
    const values = Float32Array.from({ length }, () => (this.#random.unit() - 0.5) / 500);
    const payload = encodeFrame(this.#spec, values).subarray(FRAME_HEADER_BYTES + PAYLOAD_HEADER_BYTES);
    const chunks = Math.ceil(length / chunk);
    const entries = Math.floor(length / chunk) * k + Math.min(k, length % chunk);
    const places = 2 * chunks + Math.ceil((entries * Math.log2(chunk)) / 8);
    const codes = places + Math.ceil((entries * bits) / 8);
    return {
      scales: payload.subarray(0, 2 * chunks),
      places: payload.subarray(2 * chunks, places),
      codes: payload.subarray(places, codes),
    };
  }
}
