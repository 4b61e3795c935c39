import { describe, expect, it } from "vitest";
import { oracleLogits } from "../../test/oracle/oracle.ts";
import { ModelError } from "../contract/config.ts";
import { layoutOf } from "../contract/layout.ts";
import { Random } from "../lib/random.ts";
import { CachedDecoder } from "./cached-decoder.ts";
import { generate } from "./generate.ts";
import { generateCached } from "./generate-cached.ts";

const SHAPE = { layers: 2, heads: 2, width: 8, context: 12, vocabulary: 30 };
const random = new Random(11);
const weights = Float32Array.from({ length: layoutOf(SHAPE).length }, () => random.unit() * 2 - 1);

function take(count: number, prompt: readonly number[], sampling = { temperature: 0.8, topK: 10, seed: 3 }) {
  const writer = generateCached(new CachedDecoder(SHAPE, weights), SHAPE.context, prompt, sampling);
  return Array.from({ length: count }, () => writer.next().value);
}

describe("writing on", () => {
  it("writes what the engines' generator writes, while the context holds it", async () => {
    const flat = Float64Array.from(weights);
    const oracle = {
      logits: async (tokens: Uint16Array) => Float32Array.from(oracleLogits(SHAPE, flat, tokens)),
    };
    const sampling = { temperature: 0.8, topK: 10, seed: 3 };
    const expected: number[] = [];
    for await (const token of generate(oracle, SHAPE.context, [4, 9], sampling)) {
      if (expected.push(token) === 10) break;
    }
    expect(take(10, [4, 9], sampling)).toEqual(expected);
  });

  it("goes on past the context, from the newer half of what it wrote", () => {
    const greedy = { temperature: 0, topK: 1, seed: 1 };
    const long = take(11, [4, 9], greedy); // 2 + 10 tokens fill the context; the eleventh opens a new one
    expect(take(40, [4, 9], greedy)).toHaveLength(40);
    expect(take(1, [...long.slice(-6)], greedy)).toEqual(take(12, [4, 9], greedy).slice(-1));
  });

  it("takes only the end of a prompt that is too long, and refuses an empty one", () => {
    const prompt = Array.from({ length: 40 }, (_, i) => i % 30);
    expect(take(3, prompt)).toEqual(take(3, prompt.slice(-12)));
    expect(() => take(1, [])).toThrow(ModelError);
  });
});
