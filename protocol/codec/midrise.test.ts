import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finiteVectors } from "../../test/harness/float-vectors.ts";
import { decodeFrame, encodeFrame, FRAME_HEADER_BYTES } from "../frame.ts";
import { type CodecSpec, MIDRISE1, MIDRISE2, MIDRISE3 } from "./codec.ts";

describe("midrise", () => {
  it.each([
    { name: "midrise", bits: 1 } as const,
    { name: "midrise", bits: 2 } as const,
    { name: "midrise", bits: 3 } as const,
  ])("C8: $bits bits give the nearest odd multiple of the scale", (spec) => {
    const most = 2 ** spec.bits - 1;
    fc.assert(
      fc.property(finiteVectors, (values) => {
        const frame = encodeFrame(spec, values);
        const scales = new DataView(frame.buffer, FRAME_HEADER_BYTES);
        decodeFrame(frame, values.length).forEach((decoded, i) => {
          const scale = new Float32Array(
            new Uint32Array([scales.getUint16(2 * (i >> 6), true) << 16]).buffer,
          )[0]!;
          const level = scale === 0 ? most : decoded / scale;
          expect(scale === 0 ? decoded + 1 : Math.abs(level % 2)).toBe(1);
          const error = Math.abs(values[i]! / scale - level);
          expect(error <= 1 || Math.abs(level) === most).toBe(true);
        });
      }),
    );
  });

  it("loses a quarter of what dense loses of normal values in two bits, and sends it with the next frames", () => {
    const unit = (i: number) => (Math.sin(i) * 43_758.5453) % 1;
    const normal = (i: number) =>
      Math.sqrt(-2 * Math.log(Math.abs(unit(i)))) * Math.cos(2 * Math.PI * unit(-i / 2));
    const values = Float32Array.from({ length: 6_400 }, (_, i) => normal(i + 1));
    const energy = (values: Float32Array) => values.reduce((sum, value) => sum + value ** 2, 0);
    const lost = (spec: CodecSpec) => {
      const left = new Float32Array(values.length);
      encodeFrame(spec, values, left);
      return energy(left) / energy(values);
    };
    expect(lost(MIDRISE2)).toBeLessThan(0.13);
    expect(lost(MIDRISE3)).toBeLessThan(0.04);
    expect(lost(MIDRISE1)).toBeLessThan(0.41);
    expect(lost({ name: "dense", bits: 2 })).toBeGreaterThan(0.5);
    // One value of a block alone is the worst that can be written: what is left of it shrinks all the same.
    const alone = Float32Array.of(1, ...Array(63).fill(0));
    for (let i = 0; i < 20; i++) encodeFrame(MIDRISE2, alone, alone);
    expect(energy(alone)).toBeLessThan(0.01);
    const sign = Float32Array.of(1, ...Array(63).fill(0));
    for (let i = 0; i < 20; i++) encodeFrame(MIDRISE1, sign, sign);
    expect(energy(sign)).toBeLessThan(0.01);
  });
});
