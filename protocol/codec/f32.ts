import { ProtocolError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { requireBytes, requireFinite } from "./scale.ts";

/** Plain little-endian f32: the codec of tests and of benches that ask what compression costs. */
export const f32: Codec = {
  spec: { name: "f32" },
  payloadBytes: (length) => length * 4,
  encode(values, left) {
    requireFinite(values);
    const payload = new Uint8Array(values.slice().buffer);
    left?.fill(0);
    return payload;
  },
  check(payload, length) {
    requireBytes(payload, length * 4);
    const view = new DataView(payload.buffer, payload.byteOffset);
    let squares = 0;
    for (let i = 0; i < length; i++) {
      const value = view.getFloat32(4 * i, true);
      if (!Number.isFinite(value)) throw new ProtocolError("not-finite", `value ${i} is ${value}`);
      squares += value * value;
    }
    return squares;
  },
  add(payload, sum, share, from = 0, to = sum.length) {
    const view = new DataView(payload.buffer, payload.byteOffset);
    for (let i = from; i < to; i++) {
      sum[i] = sum[i]! + Math.fround(share * view.getFloat32(4 * i, true));
    }
  },
};
