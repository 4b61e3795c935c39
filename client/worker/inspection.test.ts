import { describe, expect, it } from "vitest";
import { layoutOf } from "../../model/contract/layout.ts";
import type { Tokenizer } from "../../model/data/tokenizer.ts";
import { Random } from "../../model/lib/random.ts";
import { DENSE4, F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { deltaPicture } from "./inside.ts";
import { Inspection } from "./inspection.ts";

const SHAPE = { layers: 2, heads: 2, width: 8, context: 64, vocabulary: 30 };
const tokenizer: Tokenizer = {
  vocabulary: 30,
  encode: () => new Uint16Array(),
  decode: () => "",
  bytes: () => 0,
  piece: (token) => `<${token}>`,
};
const random = new Random(5);
const weights = Float32Array.from({ length: layoutOf(SHAPE).length }, () => random.unit() - 0.5);
const tokens = Uint16Array.from({ length: 64 }, (_, i) => (i * 7) % 30);

describe("a look inside", () => {
  it("is nothing before a passage was shown, and then of that passage", async () => {
    const inspection = new Inspection();
    expect(await inspection.look()).toBeUndefined();
    const row = tokens.slice();
    inspection.show({ shape: SHAPE, tokenizer, tokens: row, weights, version: 7 });
    row.fill(0); // the batch's memory is used again
    const inside = await inspection.look();
    expect(inside).toMatchObject({ version: 7, layers: 2, heads: 2 });
    expect(inside?.tokens.slice(0, 3)).toEqual(["<0>", "<7>", "<14>"]);
    expect(inside?.tokens).toHaveLength(32);
    expect(inside?.names).toHaveLength(30);
    expect(inside?.nearest[7]).toHaveLength(5);
  });

  it("gives every row of attention to the tokens up to it, all of it", async () => {
    const inspection = new Inspection();
    inspection.show({ shape: SHAPE, tokenizer, tokens, weights, version: 1 });
    const { attention } = (await inspection.look())!;
    for (let row = 0; row < 2 * 2 * 32; row++) {
      const shares = attention.subarray(row * 32, (row + 1) * 32);
      const place = row % 32;
      expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 255)).toBeLessThanOrEqual(place + 1);
      expect(shares.subarray(place + 1).every((share) => share === 0)).toBe(true);
    }
  });

  it("is not taken where it would hold training up", async () => {
    const inspection = new Inspection();
    const large = new Float32Array(1); // its length alone decides
    Object.defineProperty(large, "length", { value: 200_000_000 });
    inspection.show({ shape: SHAPE, tokenizer, tokens, weights: large, version: 1 });
    expect(await inspection.look()).toBeUndefined();
  });
});

describe("the picture of a delta", () => {
  it("counts every weight once, with no change in the middle", () => {
    const delta = Float32Array.from([0, 0, 0.5, -1, 1, 0.26]);
    const frame = encodeFrame(F32, delta);
    const picture = deltaPicture(frame, Float32Array.from([3, 4, 0, 0, 0, 0]), 10);
    expect(picture).toMatchObject({
      bytes: frame.length,
      plainBytes: 24,
      parameters: 6,
      changed: 4,
      steps: 10,
      largest: 1,
    });
    expect(picture.ratio).toBeCloseTo(Math.sqrt(0.25 + 1 + 1 + 0.26 ** 2) / 5, 6);
    expect(picture.bars[10]).toBe(2);
    expect(picture.bars[0]).toBe(1);
    expect(picture.bars[20]).toBe(1);
    expect(picture.bars.reduce((sum, count) => sum + count, 0)).toBe(6);
  });

  it("is of what was sent, and all in the middle where nothing changed", async () => {
    const inspection = new Inspection();
    expect(await inspection.delta()).toBeUndefined();
    inspection.show({ shape: SHAPE, tokenizer, tokens, weights, version: 1 });
    const frame = encodeFrame(DENSE4, new Float32Array(weights.length));
    inspection.sent(frame, 3);
    expect(await inspection.delta()).toMatchObject({ bytes: frame.length, changed: 0, ratio: 0, steps: 3 });
    expect((await inspection.delta())?.bars[10]).toBe(weights.length);
  });
});
