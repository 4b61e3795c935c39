import { expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import {
  type CodecSpec,
  DENSE2,
  DENSE4,
  F32,
  MIDRISE1,
  MIDRISE2,
  MIDRISE3,
} from "../../protocol/codec/codec.ts";
import { checkFrame, decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import { disguised } from "./disguise.ts";

const LENGTH = 6_000;
const random = new Random(1);
const values = Float32Array.from({ length: LENGTH }, () => (random.unit() + random.unit() - 1) / 100);
const TOPK: CodecSpec = { name: "topk", chunk: 256, k: 32, bits: 4 };

test.each([F32, DENSE2, DENSE4, { name: "dense", bits: 8 } as const, MIDRISE1, MIDRISE2, MIDRISE3, TOPK])(
  "A31: a delta that an auditor gets is not the one that was sent, and does what that does: $name $bits",
  (codec) => {
    const frame = encodeFrame(codec, values);
    const sent = decodeFrame(frame, LENGTH);
    const draws = new Random(2);
    const given = disguised(frame, LENGTH, () => draws.u32());
    expect(given.length).toBe(frame.length);
    expect(given).not.toEqual(frame);
    checkFrame(given, LENGTH, codec);
    const got = decodeFrame(given, LENGTH);
    const changed = [...sent.keys()].filter((i) => sent[i] !== got[i]);
    expect(changed).toHaveLength(24);
    for (const i of changed) expect(got[i]).toBe(-sent[i]!);
    const product = sent.reduce((sum, value, i) => sum + value * got[i]!, 0);
    const squares = sent.reduce((sum, value) => sum + value * value, 0);
    // Of one or two bits' values, and of a sparse delta's few, none is small.
    expect(1 - product / squares).toBeLessThan(
      ("bits" in codec && codec.bits <= 2) || codec.name === "topk" ? 0.05 : 0.004,
    );
    expect(
      disguised(frame, LENGTH, () => draws.u32()),
      "another time another one",
    ).not.toEqual(given);
    expect(frame, "what was sent stays as it is").toEqual(encodeFrame(codec, values));
  },
);

test("A31: a delta of zeros stays one", () => {
  const frame = encodeFrame(DENSE4, new Float32Array(LENGTH));
  expect(disguised(frame, LENGTH, () => random.u32())).toEqual(frame);
});
