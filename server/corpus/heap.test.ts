import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap } from "./heap.ts";

describe("Heap", () => {
  it("always takes the first of what it holds", () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant("pop" as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new Heap<number>((a, b) => a < b);
        const model: number[] = [];
        for (const item of steps) {
          if (item === "pop") {
            expect(heap.pop()).toBe(model.sort((a, b) => a - b).shift());
          } else {
            heap.push(item);
            model.push(item);
          }
        }
      }),
    );
  });
});
