import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decays, layoutOf } from "./layout.ts";

const gpt2 = { layers: 12, heads: 12, width: 768, context: 1024, vocabulary: 50_257 };

describe("layoutOf", () => {
  it("lays out GPT-2 small: its 124,439,808 parameters under Hugging Face's names", () => {
    const layout = layoutOf(gpt2);
    expect(layout.length).toBe(124_439_808);
    expect(layout.tensors).toHaveLength(2 + 12 * 12 + 2);
    const shapes = new Map(layout.tensors.map(({ name, shape }) => [name, shape]));
    expect(shapes.get("wte.weight")).toEqual([50_257, 768]);
    expect(shapes.get("wpe.weight")).toEqual([1024, 768]);
    expect(shapes.get("h.11.attn.c_attn.weight")).toEqual([768, 2304]); // [in, out], as Conv1D stores it
    expect(shapes.get("h.11.mlp.c_proj.weight")).toEqual([3072, 768]);
    expect(shapes.get("ln_f.bias")).toEqual([768]);
    expect(shapes.has("lm_head.weight")).toBe(false); // tied
  });

  it("leaves no gap and no overlap, for any size", () => {
    const sizes = fc.record({
      layers: fc.integer({ min: 1, max: 6 }),
      heads: fc.integer({ min: 1, max: 4 }),
      side: fc.integer({ min: 1, max: 16 }),
      context: fc.integer({ min: 2, max: 64 }),
      vocabulary: fc.integer({ min: 256, max: 1000 }),
    });
    fc.assert(
      fc.property(sizes, ({ side, ...shape }) => {
        const { tensors, length } = layoutOf({ ...shape, width: shape.heads * side });
        let at = 0;
        for (const tensor of tensors) {
          expect(tensor.offset).toBe(at);
          expect(tensor.shape.reduce((product, side) => product * side, 1)).toBe(tensor.length);
          at += tensor.length;
        }
        expect(length).toBe(at);
        expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
      }),
    );
  });

  it("refuses a width that the heads cannot share", () => {
    expect(() => layoutOf({ ...gpt2, heads: 7 })).toThrow(expect.objectContaining({ code: "bad-shape" }));
  });

  it("decays matrices and embeddings, not biases and norms", () => {
    const decayed = layoutOf({ ...gpt2, layers: 1 })
      .tensors.filter(decays)
      .map(({ name }) => name);
    expect(decayed).toEqual([
      "wte.weight",
      "wpe.weight",
      "h.0.attn.c_attn.weight",
      "h.0.attn.c_proj.weight",
      "h.0.mlp.c_fc.weight",
      "h.0.mlp.c_proj.weight",
    ]);
  });
});
