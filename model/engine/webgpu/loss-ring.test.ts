import { expect, test } from "vitest";
import { LossRing } from "./loss-ring.ts";
import { RING } from "./memory.ts";
import type { Piece } from "./readback.ts";

/** A ring on a device that writes the step's number as its loss, and what was read of it. */
function ringOf() {
  const device = new Float32Array(RING);
  const reads: number[] = [];
  const buffer = {} as GPUBuffer;
  const read = async (pieces: readonly Piece[]) => {
    reads.push(...pieces.map(({ length }) => length));
    return pieces.map(({ from, length }) => device.slice(from, from + length));
  };
  const ring = new LossRing(buffer, { read });
  let step = 0;
  const steps = async (count: number) => {
    for (let i = 0; i < count; i++) device[await ring.claim()] = step++;
  };
  return { ring, reads, read, steps };
}

const counting = (from: number, length: number) => Float32Array.from({ length }, (_, i) => from + i);

test("losses stay on the device until they are read, in order, each once", async () => {
  const { ring, reads, steps } = ringOf();
  await steps(3);
  expect(reads).toEqual([]);
  expect(await ring.take()).toEqual(counting(0, 3));
  expect(await ring.take()).toEqual(new Float32Array());
  await steps(2);
  expect(await ring.take()).toEqual(counting(3, 2));
  expect(reads).toEqual([3, 2]);
});

test("a ring that is full is read before the next step overwrites it, so that none is lost", async () => {
  const { ring, reads, steps } = ringOf();
  await steps(2 * RING + 5);
  expect(reads).toEqual([RING, RING]);
  expect(await ring.take()).toEqual(counting(0, 2 * RING + 5));
});

test("losses that were read along with something else are kept, and a new ticket forgets all", async () => {
  const { ring, reads, read, steps } = ringOf();
  await steps(4);
  ring.keep(await read(ring.pieces()));
  expect(ring.pieces()).toEqual([]);
  await steps(1);
  expect(await ring.take()).toEqual(counting(0, 5));
  expect(reads).toEqual([4, 1]);
  await steps(2);
  ring.clear();
  expect(await ring.take()).toEqual(new Float32Array());
});
