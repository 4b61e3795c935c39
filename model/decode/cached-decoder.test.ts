import { describe, expect, it } from "vitest";
import { oracleLogits } from "../../test/oracle/oracle.ts";
import { attention, layerNorm, linear } from "../../test/oracle/parts.ts";
import { ModelError } from "../contract/config.ts";
import { layoutOf } from "../contract/layout.ts";
import { Random } from "../lib/random.ts";
import { CachedDecoder } from "./cached-decoder.ts";

const SHAPE = { layers: 2, heads: 3, width: 12, context: 8, vocabulary: 40 };
const TOKENS = Uint16Array.of(3, 39, 0, 17, 17, 5, 22, 1);

/** Weights large enough that attention is far from even. */
function weightsOf(seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: layoutOf(SHAPE).length }, () => random.unit() * 2 - 1);
}

function tensor(weights: Float64Array, name: string): Float64Array {
  const found = layoutOf(SHAPE).tensors.find((one) => one.name === name)!;
  return weights.subarray(found.offset, found.offset + found.length);
}

describe("reading token by token", () => {
  it("gives the oracle's logits at every place", () => {
    const weights = weightsOf(1);
    const decoder = new CachedDecoder(SHAPE, weights);
    const expected = oracleLogits(SHAPE, Float64Array.from(weights), TOKENS);
    TOKENS.forEach((token, place) => {
      decoder.read(token);
      decoder.logits().forEach((logit, id) => {
        expect(logit).toBeCloseTo(expected[place * SHAPE.vocabulary + id]!, 3);
      });
    });
  });

  it("gives the oracle's attention in the first layer, head by head", () => {
    const { width, heads } = SHAPE;
    const weights = weightsOf(2);
    const flat = Float64Array.from(weights);
    const [wte, wpe] = [tensor(flat, "wte.weight"), tensor(flat, "wpe.weight")];
    const x = Float64Array.from({ length: TOKENS.length * width }, (_, i) => {
      const place = Math.floor(i / width);
      return wte[TOKENS[place]! * width + (i % width)]! + wpe[i]!;
    });
    const { y } = layerNorm(x, width, tensor(flat, "h.0.ln_1.weight"), tensor(flat, "h.0.ln_1.bias"));
    const qkv = linear(
      y,
      width,
      tensor(flat, "h.0.attn.c_attn.weight"),
      tensor(flat, "h.0.attn.c_attn.bias"),
    );
    const { probabilities } = attention(qkv, 1, TOKENS.length, heads, width);

    const decoder = new CachedDecoder(SHAPE, weights);
    let largest = 0;
    TOKENS.forEach((token, place) => {
      decoder.read(token);
      for (let head = 0; head < heads; head++) {
        const row = decoder.attention(0, head);
        expect(row).toHaveLength(place + 1);
        row.forEach((p, at) => {
          expect(p).toBeCloseTo(probabilities[(head * TOKENS.length + place) * TOKENS.length + at]!, 4);
        });
        if (place > 3) largest = Math.max(largest, ...row);
      }
    });
    expect(largest).toBeGreaterThan(0.3); // an even spread would pass whatever was computed
  });

  it("starts again after a reset, as if nothing had been read", () => {
    const decoder = new CachedDecoder(SHAPE, weightsOf(3));
    for (const token of TOKENS) decoder.read(token);
    expect(decoder.full).toBe(true);
    expect(() => decoder.read(1)).toThrow(ModelError);
    decoder.reset();
    decoder.read(9);
    const again = new CachedDecoder(SHAPE, weightsOf(3));
    again.read(9);
    expect(decoder.logits()).toEqual(again.logits());
    expect(Array.from(decoder.attention(1, 2))).toEqual([1]);
  });

  it("refuses tokens and weights that do not belong to it", () => {
    expect(() => new CachedDecoder(SHAPE, new Float32Array(5))).toThrow(ModelError);
    const decoder = new CachedDecoder(SHAPE, weightsOf(4));
    for (const token of [-1, 40, 1.5, Number.NaN])
      expect(() => decoder.read(token)).toThrow(/is not below 40/);
    expect(decoder.length).toBe(0);
  });
});
