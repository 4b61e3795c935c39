import fc from "fast-check";
import { expect, test } from "vitest";
import { writeBatch } from "./tokens.ts";

const at = (offset: number, length: number) => ({ arena: "tokens" as const, offset, length });

test("a batch becomes inputs, targets one later, and rows sorted by token", () => {
  fc.assert(
    fc.property(
      fc.record({ context: fc.integer({ min: 1, max: 9 }), sequences: fc.integer({ min: 1, max: 4 }) }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.nat(), { minLength: 50, maxLength: 50 }),
      ({ context, sequences }, vocabulary, numbers) => {
        const rows = context * sequences;
        const skipped = 1; // sequences of the step that came before this micro-batch
        const tokens = Uint16Array.from(numbers, (n) => n % vocabulary);
        const batch = tokens.subarray(skipped * (context + 1));
        const slots = {
          inputs: at(0, rows),
          targets: at(rows, rows),
          order: at(2 * rows, rows),
          starts: at(3 * rows, vocabulary + 1),
        };
        const arena = new Uint32Array(3 * rows + vocabulary + 1).fill(99);
        writeBatch(arena, slots, tokens, skipped, context, true);
        for (let row = 0; row < rows; row++) {
          const from = Math.floor(row / context) * (context + 1) + (row % context);
          expect(arena[row]).toBe(batch[from]);
          expect(arena[rows + row]).toBe(batch[from + 1]);
        }
        const order = [...arena.subarray(2 * rows, 3 * rows)];
        const starts = [...arena.subarray(3 * rows)];
        for (let token = 0; token < vocabulary; token++) {
          const mine = order.slice(starts[token], starts[token + 1]);
          expect(mine).toEqual([...arena.subarray(0, rows).keys()].filter((row) => arena[row] === token));
        }
        expect(starts.at(-1)).toBe(rows);
      },
    ),
  );
});
