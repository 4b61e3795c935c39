import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeThrown } from "../test/harness/code-of.ts";
import { type CodecSpec, DENSE4, F32, MIDRISE1, MIDRISE2, MIDRISE3, STRETCH } from "./codec/codec.ts";
import { placePart } from "./codec/parts.ts";
import { codecOf, decodeFrame, encodeFrame, FRAME_HEADER_BYTES, maxFrameBytes } from "./frame.ts";

const CODECS: readonly CodecSpec[] = [
  F32,
  DENSE4,
  { name: "dense", bits: 2 },
  { name: "dense", bits: 8 },
  { name: "topk", chunk: 64, k: 3, bits: 4 },
  { name: "topk", chunk: 128, k: 128, bits: 2 },
];
const vectors = fc
  .array(
    fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) }),
    {
      maxLength: 300,
    },
  )
  .map((values) => Float32Array.from(values));
const sample = () => Float32Array.from({ length: 130 }, (_, i) => Math.sin(i) / (1 + (i >> 6)));

describe("frames", () => {
  it("F1: f32 gives back what went in, bit for bit except a zero's sign", () => {
    fc.assert(
      fc.property(vectors, (values) => {
        const unsigned = values.map((value) => value + 0); // decoding adds to zero, which makes −0 a 0
        expect(decodeFrame(encodeFrame(F32, values), values.length)).toEqual(unsigned);
      }),
    );
  });

  it("C2: dense4 is within half a step of each block's scale, and 4.25 bits a value", () => {
    fc.assert(
      fc.property(vectors, (values) => {
        const frame = encodeFrame(DENSE4, values);
        const decoded = decodeFrame(frame, values.length);
        expect(frame.length - FRAME_HEADER_BYTES).toBe(
          2 * Math.ceil(values.length / 64) + Math.ceil(values.length / 2),
        );
        for (let block = 0; block < values.length; block += 64) {
          const largest = Math.max(...values.subarray(block, block + 64).map(Math.abs));
          // bf16 rounding widens the step by at most 2⁻⁷; below 2⁻¹⁰⁰ a scale is written as zero.
          const step = largest / 7 < 2 ** -100 ? 2 * largest : (largest / 7) * (1 + 2 ** -7);
          for (let i = block; i < Math.min(block + 64, values.length); i++) {
            expect(Math.abs(values[i]! - decoded[i]!)).toBeLessThanOrEqual(step / 2 + 1e-37);
          }
        }
      }),
    );
  });

  it("C3: what dense4 decodes is exactly representable: encoding it again changes nothing", () => {
    fc.assert(
      fc.property(vectors, (values) => {
        const once = decodeFrame(encodeFrame(DENSE4, values), values.length);
        const twice = decodeFrame(encodeFrame(F32, once), values.length);
        expect(twice).toEqual(once);
        for (const value of once) expect(Math.fround(value)).toBe(value);
      }),
    );
  });

  it("C4: error feedback loses nothing: what was left out comes back in later frames", () => {
    const target = sample();
    let residual = new Float32Array(target.length);
    const sum = new Float64Array(target.length);
    const rounds = 200;
    for (let round = 0; round < rounds; round++) {
      const wanted = target.map((value, i) => value + residual[i]!);
      const sent = decodeFrame(encodeFrame(DENSE4, wanted), wanted.length);
      residual = wanted.map((value, i) => value - sent[i]!);
      for (let i = 0; i < sum.length; i++) sum[i]! += sent[i]!;
    }
    for (let i = 0; i < sum.length; i++) expect(Math.abs(sum[i]! / rounds - target[i]!)).toBeLessThan(1e-3);
  });

  it("C4 control: without the residual the small values of a block are lost for good", () => {
    const target = Float32Array.from({ length: 64 }, (_, i) => (i === 0 ? 1 : 0.01));
    const sent = decodeFrame(encodeFrame(DENSE4, target), 64);
    expect(sent[1]).toBe(0);
  });

  it.each(CODECS)("C5: $name $bits refuses NaN and infinity on both ends", (codec) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const values = sample();
      values[77] = bad;
      expect(codeThrown(() => encodeFrame(codec, values))).toBe("not-finite");
    }
    const frame = encodeFrame(codec, sample());
    // A NaN as third value of f32, a bf16 scale of +∞ as the first of the others (behind top-k's own header).
    if (codec.name === "f32") new DataView(frame.buffer).setFloat32(FRAME_HEADER_BYTES + 8, Number.NaN, true);
    else frame.set([0x80, 0x7f], FRAME_HEADER_BYTES + (codec.name === "topk" ? 8 : 0));
    expect(codeThrown(() => decodeFrame(frame, 130))).toBe("not-finite");
  });

  it("C5: dense4 refuses a negative scale, a scale that overflows, the code −8 and a padding nibble", () => {
    const withScale = (low: number, high: number) => {
      const frame = encodeFrame(DENSE4, sample());
      frame.set([low, high], FRAME_HEADER_BYTES);
      return frame;
    };
    expect(codeThrown(() => decodeFrame(withScale(0x80, 0xbf), 130))).toBe("not-finite");
    expect(codeThrown(() => decodeFrame(withScale(0x7f, 0x7f), 130))).toBe("not-finite");
    const minusEight = encodeFrame(DENSE4, sample());
    minusEight[FRAME_HEADER_BYTES + 6] = 0x08;
    expect(codeThrown(() => decodeFrame(minusEight, 130))).toBe("bad-frame");
    const padded = encodeFrame(DENSE4, sample().subarray(0, 129));
    padded[padded.length - 1]! |= 0x10;
    expect(codeThrown(() => decodeFrame(padded, 129))).toBe("bad-frame");
  });

  it("F2: a wrong magic, version, codec, reserved byte, count or length has its own code", () => {
    const changed = (at: number, value: number) => {
      const frame = encodeFrame(DENSE4, sample());
      frame[at] = value;
      return codeThrown(() => decodeFrame(frame, 130));
    };
    expect(changed(0, 0)).toBe("bad-frame");
    expect(changed(4, 0)).toBe("bad-frame");
    expect(changed(4, 2)).toBe("unknown-frame");
    expect(changed(5, 99)).toBe("unknown-codec");
    expect(changed(6, 1)).toBe("bad-frame");
    expect(changed(8, 131)).toBe("wrong-shape");
    expect(changed(12, 0)).toBe("bad-frame");
    const frame = encodeFrame(DENSE4, sample());
    expect(codeThrown(() => decodeFrame(frame.subarray(0, 15), 130))).toBe("bad-frame");
    expect(codeThrown(() => decodeFrame(frame.subarray(0, frame.length - 1), 130))).toBe("bad-frame");
    expect(codeThrown(() => decodeFrame(new Uint8Array([...frame, 0]), 130))).toBe("bad-frame");
    expect(codeThrown(() => decodeFrame(encodeFrame(DENSE4, sample()), 129))).toBe("wrong-shape");
  });

  it("F3, A6: no byte string crashes the decoder; a header that promises gigabytes allocates nothing", () => {
    const refusals = ["bad-frame", "unknown-frame", "unknown-codec", "wrong-shape", "not-finite", "accepted"];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(refusals).toContain(codeThrown(() => decodeFrame(new Uint8Array(bytes), 130)));
      }),
    );
    const flips = fc.array(fc.tuple(fc.nat(110), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(flips, fc.constantFrom(...CODECS), (changes, codec) => {
        const frame = encodeFrame(codec, sample());
        for (const [at, mask] of changes) frame[at % frame.length]! ^= mask;
        expect(refusals).toContain(codeThrown(() => decodeFrame(frame, 130)));
      }),
    );
    const huge = encodeFrame(F32, sample());
    new DataView(huge.buffer).setUint32(8, 0xffff_ffff, true);
    expect(codeThrown(() => decodeFrame(huge, 130))).toBe("wrong-shape");
    expect(codeThrown(() => decodeFrame(huge, 0xffff_ffff))).toBe("wrong-shape");
  });

  it("payloads of a vector's parts, laid down at their places, are the payload of the whole vector", () => {
    const length = 2 * STRETCH + 777;
    const values = Float32Array.from({ length }, (_, i) => Math.sin(i) / (1 + (i >> 6)));
    for (const spec of [...CODECS, MIDRISE1, MIDRISE2, MIDRISE3]) {
      const codec = codecOf(spec);
      const whole = new Uint8Array(codec.payloadBytes(length));
      for (const from of [2 * STRETCH, 0, STRETCH]) {
        const part = { from, to: Math.min(length, from + STRETCH) };
        placePart(spec, codec.encode(values.subarray(from, part.to)), whole, length, part);
      }
      expect(Buffer.compare(whole, codec.encode(values)), spec.name).toBe(0);
    }
  });

  it("F4: the largest frame is known from the vector's length alone", () => {
    for (const codec of CODECS) {
      const frame = encodeFrame(codec, sample());
      expect(frame.length).toBeLessThanOrEqual(maxFrameBytes(130));
    }
  });
});
