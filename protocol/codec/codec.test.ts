import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeThrown } from "../../test/harness/code-of.ts";
import { finite, finiteVectors as vectors } from "../../test/harness/float-vectors.ts";
import {
  addFrame,
  addFrames,
  checkFrame,
  codecOf,
  decodeFrame,
  encodeFrame,
  FRAME_HEADER_BYTES,
} from "../frame.ts";
import { type CodecSpec, MIDRISE1, MIDRISE2, MIDRISE3, parseCodec, STRETCH, sameCodec } from "./codec.ts";

const bits = fc.constantFrom(2 as const, 4 as const, 8 as const);
const sparse: fc.Arbitrary<CodecSpec> = fc
  .record({ chunk: fc.constantFrom(64, 128, 256, 4096), part: fc.integer({ min: 0, max: 999 }), bits })
  .map(({ chunk, part, bits }) => ({ name: "topk", chunk, k: 1 + Math.floor((part * chunk) / 1000), bits }));
const lossy: fc.Arbitrary<CodecSpec> = fc.oneof(
  bits.map((bits): CodecSpec => ({ name: "dense", bits })),
  fc.constantFrom<CodecSpec>(MIDRISE1, MIDRISE2, MIDRISE3),
  sparse,
);
const codecs: fc.Arbitrary<CodecSpec> = fc.oneof(fc.constant<CodecSpec>({ name: "f32" }), lossy);

/** Values that tie, lie on halves of a step and have both zeros: what a device could get wrong. */
const ties = fc
  .array(fc.constantFrom(0, -0, 1, -1, 0.5, -0.5, 2.5, -2.5, 7, 127), { maxLength: 300 })
  .map((values) => Float32Array.from(values));

const sample = (length = 300) => Float32Array.from({ length }, (_, i) => Math.sin(i * i) / (1 + (i >> 6)));

/** Both zeros are one value. */
const unsigned = (value: number) => value + 0;

describe("every codec", () => {
  it("C1: writes the same bytes for the same values, always as many, and a checked frame", () => {
    fc.assert(
      fc.property(codecs, fc.oneof(vectors, ties), (spec, values) => {
        const payload = codecOf(spec).encode(values);
        expect(payload.length).toBe(codecOf(spec).payloadBytes(values.length));
        expect(codecOf(spec).encode(values.slice())).toEqual(payload);
        expect(codeThrown(() => checkFrame(encodeFrame(spec, values), values.length, spec))).toBe("accepted");
      }),
    );
  });

  it("C4: what it sent and what it says it left out make up the values, to the last bit", () => {
    fc.assert(
      fc.property(codecs, fc.oneof(vectors, ties), (spec, values) => {
        const left = new Float32Array(values.length);
        const frame = encodeFrame(spec, values, left);
        const sent = decodeFrame(frame, values.length);
        expect(left.map(unsigned)).toEqual(values.map((value, i) => unsigned(value - sent[i]!)));
        const inPlace = values.slice();
        expect(encodeFrame(spec, inPlace, inPlace)).toEqual(frame);
        expect(inPlace).toEqual(left);
      }),
    );
  });

  it("adds into a sum what decoding and adding by hand makes of it, and tells the norm", () => {
    fc.assert(
      fc.property(codecs, vectors, finite, (spec, values, weight) => {
        const share = Math.fround(weight / 1e30);
        const frame = encodeFrame(spec, values);
        const decoded = decodeFrame(frame, values.length);
        const sum = sample(values.length);
        const byHand = sum.map((before, i) => before + Math.fround(share * decoded[i]!));
        addFrame(frame, sum, share);
        expect(sum).toEqual(byHand);
        const norm = Math.sqrt(decoded.reduce((squares, value) => squares + value * value, 0));
        expect(Math.abs(checkFrame(frame, values.length) - norm)).toBeLessThanOrEqual(norm * 1e-9);
      }),
    );
  });

  it("adds many frames, stretch by stretch, to the same bytes as one after another", () => {
    for (const spec of [
      { name: "f32" },
      { name: "dense", bits: 2 },
      { name: "dense", bits: 4 },
      { name: "dense", bits: 8 },
      MIDRISE1,
      MIDRISE2,
      MIDRISE3,
      { name: "topk", chunk: 64, k: 3, bits: 2 },
      { name: "topk", chunk: 4096, k: 61, bits: 4 },
    ] satisfies CodecSpec[]) {
      const length = 2 * STRETCH + 777;
      const frames = [1, 2, 3].map((n) => ({
        frame: encodeFrame(
          spec,
          sample(length).map((value) => value * n * 1e3),
        ),
        share: 1 / 3 ** n,
      }));
      const [one, many] = [sample(length), sample(length)];
      for (const { frame, share } of frames) addFrame(frame, one, share);
      addFrames(frames, many);
      expect(Buffer.compare(Buffer.from(one.buffer), Buffer.from(many.buffer)), JSON.stringify(spec)).toBe(0);
    }
  });

  it("C5, F2: any changed bytes are refused with a code, or are another frame that decodes to finite values", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    const codes = ["bad-frame", "unknown-frame", "unknown-codec", "wrong-codec", "wrong-shape", "not-finite"];
    fc.assert(
      fc.property(codecs, changes, (spec, flips) => {
        const frame = encodeFrame(spec, sample());
        for (const [at, mask] of flips) frame[at % frame.length]! ^= mask;
        const code = codeThrown(() => checkFrame(frame, 300, spec));
        if (code !== "accepted") expect(codes).toContain(code);
        else expect(decodeFrame(frame, 300).every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("F2: a frame cut short or padded, at any place, is refused", () => {
    fc.assert(
      fc.property(codecs, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), (spec, at, tail) => {
        const frame = encodeFrame(spec, sample());
        expect(codeThrown(() => checkFrame(frame.subarray(0, at % frame.length), 300, spec))).toBe(
          "bad-frame",
        );
        expect(codeThrown(() => checkFrame(new Uint8Array([...frame, ...tail]), 300, spec))).toBe(
          "bad-frame",
        );
        // The same with a header that agrees: then it is the payload that has not the size its values need.
        const longer = new Uint8Array([...frame, ...tail]);
        new DataView(longer.buffer).setUint32(12, longer.length - FRAME_HEADER_BYTES, true);
        expect(codeThrown(() => checkFrame(longer, 300, spec))).toBe("wrong-shape");
      }),
    );
  });

  it("C6: a run that asks for one codec refuses every other as wrong-codec", () => {
    fc.assert(
      fc.property(codecs, codecs, (sent, asked) => {
        const code = codeThrown(() => checkFrame(encodeFrame(sent, sample()), 300, asked));
        expect(code).toBe(sameCodec(sent, asked) ? "accepted" : "wrong-codec");
      }),
    );
  });
});

describe("dense", () => {
  it("C3: a value is its code times its block's scale, exactly", () => {
    fc.assert(
      fc.property(bits, vectors, (bits, values) => {
        const payload = codecOf({ name: "dense", bits }).encode(values);
        const scales = new DataView(payload.buffer);
        const decoded = decodeFrame(encodeFrame({ name: "dense", bits }, values), values.length);
        decoded.forEach((value, i) => {
          const half = new Uint32Array([scales.getUint16(2 * (i >> 6), true) << 16]);
          const scale = new Float32Array(half.buffer)[0]!;
          const code = scale === 0 ? 0 : value / scale;
          expect(Number.isInteger(code) && Math.abs(code) < 2 ** (bits - 1)).toBe(true);
        });
      }),
    );
  });

  it.each([2, 4, 8] as const)("C2: %i bits are within half a step of the block's scale", (bits) => {
    const most = 2 ** (bits - 1) - 1;
    fc.assert(
      fc.property(vectors, (values) => {
        const decoded = decodeFrame(encodeFrame({ name: "dense", bits }, values), values.length);
        for (let block = 0; block < values.length; block += 64) {
          const part = values.subarray(block, block + 64);
          const largest = Math.max(...part.map(Math.abs));
          // bf16 widens the step by at most 2⁻⁷; below 2⁻¹⁰⁰ a scale is written as zero.
          const step = largest / most < 2 ** -100 ? 2 * largest : (largest / most) * (1 + 2 ** -7);
          part.forEach((value, i) => {
            expect(Math.abs(value - decoded[block + i]!)).toBeLessThanOrEqual(step / 2 + 1e-37);
          });
        }
      }),
    );
  });
});

describe("top-k", () => {
  const spec: CodecSpec = { name: "topk", chunk: 64, k: 3, bits: 4 };
  const payloadAt = FRAME_HEADER_BYTES;

  it("C7: sends the k largest magnitudes of each chunk, of equal ones the first", () => {
    fc.assert(
      fc.property(sparse, fc.oneof(vectors, ties), (spec, values) => {
        if (spec.name !== "topk") throw new Error("the generator makes top-k only");
        const left = values.slice();
        const sent = decodeFrame(encodeFrame(spec, values, left), values.length);
        for (let start = 0; start < values.length; start += spec.chunk) {
          const part = values.subarray(start, start + spec.chunk);
          const order = [...part.keys()].sort((a, b) => Math.abs(part[b]!) - Math.abs(part[a]!) || a - b);
          for (const at of order.slice(spec.k)) {
            expect(sent[start + at]).toBe(0);
            expect(left[start + at]).toBe(part[at]);
          }
          const largest = Math.abs(part[order[0]!] ?? 0);
          if (largest > 1e-20) expect(sent[start + order[0]!]).not.toBe(0);
        }
      }),
    );
  });

  it("C7, A7: places that repeat, go back, or lie beyond a short last chunk are bad frames", () => {
    // One chunk of three places of 6 bits behind 8 bytes of header and one scale: bytes 10 to 12, then codes.
    const placed = (length: number, ...places: number[]) => {
      const frame = encodeFrame({ ...spec }, sample(length));
      const stream = places.reduce((held, place, i) => held | (place << (6 * i)), 0);
      frame.set([stream & 255, (stream >> 8) & 255, stream >> 16], payloadAt + 10);
      return codeThrown(() => checkFrame(frame, length, spec));
    };
    expect(placed(40, 0, 1, 39)).toBe("accepted");
    expect(placed(40, 0, 1, 40)).toBe("bad-frame");
    expect(placed(40, 5, 5, 6)).toBe("bad-frame");
    expect(placed(40, 5, 4, 6)).toBe("bad-frame");
    const padding = encodeFrame(spec, sample(40));
    padding[payloadAt + 12]! |= 0x80;
    expect(codeThrown(() => checkFrame(padding, 40, spec))).toBe("bad-frame");
  });

  it("P3: a payload's own header that lies is refused before anything is made for what it says", () => {
    const lying = (write: (header: DataView) => void) => {
      const frame = encodeFrame(spec, sample());
      write(new DataView(frame.buffer, payloadAt, 8));
      return codeThrown(() => decodeFrame(frame, 300));
    };
    expect(lying(() => {})).toBe("accepted");
    expect(lying((header) => header.setUint16(0, 63, true))).toBe("bad-frame"); // no power of two
    expect(lying((header) => header.setUint16(0, 8192, true))).toBe("bad-frame");
    expect(lying((header) => header.setUint16(0, 0, true))).toBe("bad-frame");
    expect(lying((header) => header.setUint16(2, 0, true))).toBe("bad-frame");
    expect(lying((header) => header.setUint16(2, 65, true))).toBe("bad-frame");
    expect(lying((header) => header.setUint16(2, 64, true))).toBe("wrong-shape");
    expect(lying((header) => header.setUint16(0, 4096, true))).toBe("wrong-shape");
    expect(lying((header) => header.setUint8(4, 3))).toBe("bad-frame");
    expect(lying((header) => header.setUint8(4, 8))).toBe("wrong-shape");
    expect(lying((header) => header.setUint8(5, 1))).toBe("bad-frame");
    expect(lying((header) => header.setUint16(6, 1, true))).toBe("bad-frame");
  });

  it("costs about .25 bits a value at 64 of 4,096", () => {
    const spec: CodecSpec = { name: "topk", chunk: 4096, k: 64, bits: 4 };
    expect((codecOf(spec).payloadBytes(4096 * 100) * 8) / (4096 * 100)).toBeCloseTo(0.254, 3);
  });
});

describe("a codec's description", () => {
  it("M1: is read back as it was, and nothing else is", () => {
    fc.assert(
      fc.property(codecs, (spec) => {
        expect(parseCodec(JSON.parse(JSON.stringify(spec)), "delta")).toEqual(spec);
      }),
    );
    const wrong: unknown[] = [
      null,
      "dense",
      {},
      { name: "zip" },
      { name: "dense" },
      { name: "dense", bits: 1 },
      { name: "dense", bits: 3 },
      { name: "dense", bits: 16 },
      { name: "midrise", bits: 0 },
      { name: "midrise", bits: 4 },
      { name: "midrise" },
      { name: "topk", chunk: 4096, k: 0, bits: 4 },
      { name: "topk", chunk: 4096, k: 4097, bits: 4 },
      { name: "topk", chunk: 100, k: 4, bits: 4 },
      { name: "topk", chunk: 8192, k: 4, bits: 4 },
      { name: "topk", chunk: 32, k: 4, bits: 4 },
    ];
    for (const value of wrong) expect(codeThrown(() => parseCodec(value, "delta"))).toBe("bad-request");
  });
});
