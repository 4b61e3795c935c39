import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeThrown } from "../test/harness/code-of.ts";
import { finiteVectors } from "../test/harness/float-vectors.ts";
import { type CodecSpec, DENSE2, DENSE4, F32, MIDRISE2, STRETCH } from "./codec/codec.ts";
import { bestParameter, PLAIN } from "./codec/rice.ts";
import { checkFrame, decodeFrame, encodeFrame, FRAME_HEADER_BYTES } from "./frame.ts";
import { packFrame, unpackFrame } from "./packed-frame.ts";

const topk = (chunk: number, k: number, bits: 2 | 4 | 8): CodecSpec => ({ name: "topk", chunk, k, bits });
const specs: fc.Arbitrary<CodecSpec> = fc.oneof(
  fc.constant(DENSE2),
  fc
    .record({
      chunk: fc.constantFrom(64, 128, 4096),
      part: fc.integer({ min: 0, max: 999 }),
      bits: fc.constantFrom(2 as const, 4 as const, 8 as const),
    })
    .map(({ chunk, part, bits }) => topk(chunk, 1 + Math.floor((part * chunk) / 1000), bits)),
);
/** As good as drawn, and the same everywhere. */
const noise = (length: number) =>
  Float32Array.from({ length }, (_, i) => ((Math.sin(i + 1) * 43_758.5453) % 1) ** 3);

/** What comes of bytes that a stranger sends where `spec` is asked for. */
const taken = (frame: Uint8Array<ArrayBuffer>, length: number, spec: CodecSpec) =>
  codeThrown(() => checkFrame(unpackFrame(frame, length, spec), length, spec));

describe("packed frames", () => {
  it("C9: are unpacked to the same bytes, and are never larger", () => {
    fc.assert(
      fc.property(specs, finiteVectors, (spec, values) => {
        const frame = encodeFrame(spec, values);
        const packed = packFrame(frame, values.length, spec);
        expect(packed.length).toBeLessThanOrEqual(frame.length);
        expect(unpackFrame(packed, values.length, spec)).toEqual(frame);
      }),
      { numRuns: 300 },
    );
    const long = noise(2 * STRETCH + 777);
    const sparse = [
      topk(4096, 2, 4),
      topk(4096, 64, 4),
      topk(4096, 256, 2),
      topk(4096, 1, 8),
      topk(64, 63, 8),
    ];
    for (const spec of [DENSE2, ...sparse]) {
      const frame = encodeFrame(spec, long);
      expect(unpackFrame(packFrame(frame, long.length, spec), long.length, spec)).toEqual(frame);
    }
  });

  it("take four bits less a place, and a fifth less of two bits' codes", () => {
    const values = noise(100 * 4096);
    const bitsOf = (spec: CodecSpec) => {
      const frame = encodeFrame(spec, values);
      return [frame, packFrame(frame, values.length, spec)].map(({ length }) => (8 * length) / values.length);
    };
    const sparse = bitsOf(topk(4096, 64, 4));
    expect(sparse[0]).toBeCloseTo(0.254, 3);
    expect(sparse[1]).toBeLessThan(0.187);
    const sparser = bitsOf(topk(4096, 256, 2));
    expect(sparser[0]).toBeCloseTo(0.879, 3);
    expect(sparser[1]).toBeLessThan(0.46);
    const dense = bitsOf(DENSE2);
    expect(dense[0]).toBeCloseTo(2.25, 3);
    expect(dense[1]).toBeCloseTo(1.85, 3);
  });

  it("leave frames of other codecs, and those that would grow, as they are", () => {
    const values = noise(200);
    for (const spec of [F32, DENSE4, MIDRISE2, topk(64, 64, 8), topk(64, 1, 8)]) {
      const frame = encodeFrame(spec, values);
      expect(packFrame(frame, 200, spec).length, JSON.stringify(spec)).toBeLessThanOrEqual(frame.length);
    }
    const frame = encodeFrame(DENSE4, values);
    expect(packFrame(frame, 200, DENSE4)).toBe(frame);
    expect(unpackFrame(frame, 200, DENSE4)).toBe(frame);
  });

  it("a parameter is the best there is for its gaps, and none where places as they are take fewer bits", () => {
    expect(bestParameter([0, 1, 2, 3], 6)).toEqual([0, 4]);
    expect(bestParameter([63], 6)).toEqual([PLAIN, 6]);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 4095 }), { minLength: 1 }), (drawn) => {
        const places = drawn.sort((a, b) => a - b);
        const bits = (parameter: number) =>
          places.reduce(
            (sum, place, i) => sum + parameter + 1 + ((place - (places[i - 1] ?? -1) - 1) >> parameter),
            0,
          );
        const all = Array.from({ length: 12 }, (_, parameter) => bits(parameter));
        expect(bestParameter(places, 12)[1]).toBe(Math.min(12 * places.length, ...all));
      }),
    );
  });

  it("C9, A7: cut short, padded or changed they are refused with a code, or are another frame that is finite", () => {
    const codes = ["bad-frame", "unknown-frame", "unknown-codec", "wrong-codec", "wrong-shape", "not-finite"];
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    const values = noise(300);
    const small: fc.Arbitrary<CodecSpec> = fc.constantFrom(
      DENSE2,
      topk(64, 5, 4),
      topk(128, 30, 2),
      topk(4096, 6, 4),
    );
    fc.assert(
      fc.property(small, changes, fc.nat(), (spec, flips, at) => {
        const packed = packFrame(encodeFrame(spec, values), 300, spec);
        expect(packed[5]).toBeGreaterThan(6);
        const cut = packed.slice(0, at % packed.length);
        expect(taken(cut, 300, spec)).toBe("bad-frame");
        // The same with a header that agrees.
        if (cut.length >= FRAME_HEADER_BYTES) {
          new DataView(cut.buffer).setUint32(12, cut.length - FRAME_HEADER_BYTES, true);
          expect(taken(cut, 300, spec)).toBe("bad-frame");
        }
        const longer = new Uint8Array([...packed, 0]);
        new DataView(longer.buffer).setUint32(12, longer.length - FRAME_HEADER_BYTES, true);
        expect(taken(longer, 300, spec)).toBe("bad-frame");
        for (const [place, mask] of flips) packed[place % packed.length]! ^= mask;
        const code = taken(packed, 300, spec);
        if (code !== "accepted") expect(codes).toContain(code);
        else expect(decodeFrame(unpackFrame(packed, 300, spec), 300).every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("C9: each fault of a packed frame has its code", () => {
    const spec = topk(64, 8, 4);
    // 70 values, 14 entries: header of 8 bytes, 4 of scales, 1 of parameters, 7 of codes, then the places.
    const changed = (change: (frame: Uint8Array) => void, asked: CodecSpec = spec, count = 70) => {
      const frame = packFrame(encodeFrame(spec, noise(70)), 70, spec);
      expect(frame[5]).toBe(7);
      change(frame.subarray(FRAME_HEADER_BYTES));
      return taken(frame, count, asked);
    };
    expect(changed(() => {})).toBe("accepted");
    expect(changed(() => {}, spec, 71)).toBe("wrong-shape");
    expect(changed(() => {}, topk(64, 9, 4))).toBe("wrong-codec");
    expect(changed(() => {}, DENSE4)).toBe("wrong-codec");
    expect(changed((payload) => payload.set([65]))).toBe("bad-frame");
    expect(changed((payload) => payload.set([0x66], 12))).toBe("bad-frame"); // places of 64 have six bits
    expect(changed((payload) => payload.fill(0, 20))).toBe("bad-frame"); // zeros without an end
    expect(changed((payload) => payload.fill(0xff, 20))).toBe("bad-frame");
    expect(changed((payload) => payload.set([0x80, 0x7f], 8))).toBe("not-finite");
    const trits = packFrame(encodeFrame(DENSE2, noise(70)), 70, DENSE2);
    const last = trits.at(-1)!;
    for (const [byte, code] of [
      [last, "accepted"],
      [243, "bad-frame"],
      [255, "bad-frame"],
    ] as const) {
      trits[trits.length - 1] = byte;
      expect(taken(trits, 70, DENSE2)).toBe(code);
    }
    const padded = packFrame(encodeFrame(DENSE2, noise(69)), 69, DENSE2);
    padded[padded.length - 1]! += 81; // a fifth digit where four are left
    expect(taken(padded, 69, DENSE2)).toBe("bad-frame");
  });

  it("P3: nothing is made for what a payload's own header says where the run asks for another codec", () => {
    const packed = packFrame(encodeFrame(topk(64, 8, 4), noise(300)), 300, topk(64, 8, 4));
    new DataView(packed.buffer).setUint16(FRAME_HEADER_BYTES, 4096, true);
    expect(codeThrown(() => unpackFrame(packed, 300, topk(64, 8, 4)))).toBe("wrong-codec");
  });
});
