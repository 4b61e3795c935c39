import { expect, test } from "vitest";
import type { Slot } from "../ops.ts";
import type { LogitsSchedule } from "../schedule.ts";
import { Logits } from "./logits.ts";
import type { Memory } from "./memory.ts";
import type { Program } from "./program.ts";
import type { Readback } from "./readback.ts";
import type { Submits } from "./submits.ts";

const shape = { layers: 1, heads: 1, width: 8, context: 64, vocabulary: 3 };
const STRIDE = 4;

/** A plan of three parts, 8 rows each; what a part leaves for row r and token v is 10·r + v, and 99 in the padding. */
function fake() {
  const asked: number[] = [];
  const ran: number[] = [];
  const destroyed: number[] = [];
  const slot: Slot = { arena: "activations", offset: 64, length: 8 * STRIDE };
  const plan = (length: number): LogitsSchedule => {
    asked.push(length);
    const parts = [0, 1, 2].map(() => ({ ops: [], logits: slot }));
    const tokens = { inputs: slot, targets: slot, order: slot, starts: slot };
    return { parts, tokens, stride: STRIDE, arenas: { activations: 0, tokens: 0, scratch: 0 } };
  };
  let linked = 0;
  const link = async () => {
    const number = linked++;
    return { number, destroy: () => destroyed.push(number) } as unknown as Program;
  };
  const submits = {
    run: async ([program]: readonly { readonly number: number }[]) => void ran.push(program!.number % 3),
  } as unknown as Submits;
  const readback = {
    read: async (pieces: readonly { readonly from: number; readonly length: number }[]) => {
      const { from, length } = pieces[0]!;
      expect(from).toBe(64);
      const row = 8 * ran.at(-1)!;
      const value = (i: number) =>
        i % STRIDE === 3 ? 99 : 10 * (row + Math.floor(i / STRIDE)) + (i % STRIDE);
      return [Float32Array.from({ length }, (_, i) => value(i))];
    },
  } as unknown as Readback;
  const device = { queue: { writeBuffer: () => undefined } } as unknown as GPUDevice;
  const memory = { arena: () => undefined } as unknown as Memory;
  const logits = new Logits(shape, plan, memory, link);
  const of = (count: number) => logits.of(new Uint32Array(count), device, submits, readback);
  return { of, logits, asked, ran, destroyed };
}

const rows = (count: number) => Array.from({ length: 3 * count }, (_, i) => 10 * Math.floor(i / 3) + (i % 3));

test.each([
  [24, [0, 1, 2]],
  [20, [0, 1, 2]],
  [16, [0, 1]],
  [9, [0, 1]],
  [3, [0]],
])("logits of %i tokens come from the parts that have their rows, without padding", async (count, parts) => {
  const { of, ran } = fake();
  expect([...(await of(count))]).toEqual(rows(count));
  expect(ran).toEqual(parts);
});

test("a length's programs are linked once, and all of them destroyed", async () => {
  const { of, logits, asked, destroyed } = fake();
  await of(17);
  await of(24); // both of 32 tokens
  await of(3); // of 16, the fewest
  expect(asked).toEqual([32, 32, 16]);
  logits.destroy();
  await of(3);
  expect(destroyed.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
});
