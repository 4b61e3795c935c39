import { toFloats } from "../bytes.ts";
import { ProtocolError } from "../errors.ts";
import type { Codec } from "./codec.ts";

/** Plain little-endian f32: the codec of tests and of benches that ask what compression costs. */
export const f32: Codec = {
  name: "f32",
  id: 0,
  maxPayload: (length) => length * 4,
  encode(values) {
    requireFinite(values);
    return new Uint8Array(values.slice().buffer);
  },
  decode(payload, length) {
    if (payload.length !== length * 4) {
      throw new ProtocolError("wrong-shape", `f32 needs ${length * 4} bytes, got ${payload.length}`);
    }
    const values = toFloats(payload);
    requireFinite(values);
    return values;
  },
};

/** Throws `not-finite` on the first NaN or infinity. */
export function requireFinite(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new ProtocolError("not-finite", `value ${i} is ${values[i]}`);
  }
}
