import { describe, expect, it } from "vitest";
import { SlowReaders } from "./slow-readers.ts";

const BOUNDS = { readMs: 60_000, readRate: 1_000 };
const LOOK_MS = 1_000;

/** A socket with so many bytes to send; its reader takes some of them now and then. */
class Reader {
  bytesWritten: number;
  writableLength: number;
  destroyed = false;

  constructor(bytes: number) {
    this.bytesWritten = bytes;
    this.writableLength = bytes;
  }

  take(bytes: number): void {
    this.writableLength -= Math.min(bytes, this.writableLength);
  }

  destroy(): void {
    this.destroyed = true;
  }
}

/** Seconds until a reader that takes so many bytes a second is dropped; undefined if it never is. */
function droppedAfter(bytesPerSecond: number, forSeconds: number, bytes = 10_000_000): number | undefined {
  let now = 0;
  const readers = new SlowReaders(BOUNDS, () => now);
  const reader = new Reader(bytes);
  readers.watch(reader);
  for (let second = 1; second <= forSeconds; second++) {
    now += LOOK_MS;
    reader.take(bytesPerSecond);
    readers.look(2 * LOOK_MS);
    if (reader.destroyed) return second;
  }
  return undefined;
}

describe("A5: readers that drip", () => {
  it("are dropped within twice the patience when they take a few bytes a second", () => {
    expect(droppedAfter(3, 200)).toBe(61);
    expect(droppedAfter(499, 200)).toBe(120);
  });

  it("are served to the end when they take what is asked of them, the control", () => {
    expect(droppedAfter(1_000, 10_000)).toBeUndefined();
  });

  it("do not earn more patience by a fast beginning", () => {
    let now = 0;
    const readers = new SlowReaders(BOUNDS, () => now);
    const reader = new Reader(10_000_000);
    readers.watch(reader);
    reader.take(9_000_000);
    for (let second = 0; second < 62; second++) {
      now += LOOK_MS;
      reader.take(3);
      readers.look(2 * LOOK_MS);
    }
    expect(reader.destroyed).toBe(true);
  });

  it("have as much patience as before once nothing waits for them", () => {
    expect(droppedAfter(2, 10_000, 100)).toBeUndefined(); // a small answer, fifty seconds long
  });

  it("are not blamed for the time that the process stood still", () => {
    let now = 0;
    const readers = new SlowReaders(BOUNDS, () => now);
    const reader = new Reader(10_000_000);
    readers.watch(reader);
    now += 3_600_000;
    readers.look(2 * LOOK_MS);
    expect(reader.destroyed).toBe(false);
    readers.look(Number.POSITIVE_INFINITY);
    now += 3_600_000;
    readers.look(Number.POSITIVE_INFINITY);
    expect(reader.destroyed).toBe(true); // the control: without that bound it is
  });
});
