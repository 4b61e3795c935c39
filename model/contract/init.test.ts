import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { oracleLoss } from "../../test/oracle/oracle.ts";
import { Random } from "../lib/random.ts";
import { initialWeights } from "./init.ts";
import { layoutOf } from "./layout.ts";

const shape = { layers: 2, heads: 2, width: 32, context: 16, vocabulary: 256 };
const layout = layoutOf(shape);

describe("initialWeights", () => {
  it("gives these bytes for this seed, on every machine, for ever", () => {
    const hash = createHash("sha256").update(initialWeights(shape, 7)).digest("hex");
    expect(hash).toBe("fefd34fe609e29da509c72b34af2332e6094bcc3f01a2b2a17ded9cce8c62e8b");
  });

  it("depends on the seed", () => {
    expect(initialWeights(shape, 1)).not.toEqual(initialWeights(shape, 2));
  });

  it("has GPT-2's deviations, tensor by tensor", () => {
    const weights = initialWeights(shape, 3);
    for (const { name, offset, length } of layout.tensors) {
      const values = weights.subarray(offset, offset + length);
      if (name.endsWith(".bias")) expect(values.every((value) => value === 0)).toBe(true);
      else if (name.includes("ln_")) expect(values.every((value) => value === 1)).toBe(true);
      else {
        const wanted = name === "wpe.weight" ? 0.01 : name.endsWith("c_proj.weight") ? 0.01 : 0.02;
        const mean = values.reduce((sum, value) => sum + value, 0) / length;
        const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / length);
        expect(deviation / wanted, name).toBeCloseTo(1, 0.9); // within about 6%
        expect(Math.abs(mean), name).toBeLessThan((5 * wanted) / Math.sqrt(length));
      }
    }
  });

  it("knows nothing yet: the first loss is about ln V", () => {
    const random = new Random(4);
    const tokens = Uint16Array.from({ length: 4 * 17 }, () => random.below(shape.vocabulary));
    const loss = oracleLoss(shape, Float64Array.from(initialWeights(shape, 5)), tokens, 4);
    expect(Math.abs(loss - Math.log(shape.vocabulary))).toBeLessThan(0.05);
  });
});
