import { getHeapStatistics } from "node:v8";
import { expect, test } from "vitest";
import { MinorGc } from "./minor-gc.ts";

const MB = 1024 * 1024;

test("collects once in sixteen megabytes", () => {
  let collected = 0;
  const gc = new MinorGc(() => collected++);
  for (let i = 0; i < 64; i++) gc.received(MB);
  expect(collected).toBe(4);
  gc.received(100 * MB);
  expect(collected).toBe(5);
});

test("buffers that nothing refers to are freed; control: without a collection they stay", () => {
  const held = () => getHeapStatistics().external_memory;
  const after = (gc: MinorGc) => {
    for (let i = 0; i < 20; i++) new Uint8Array(MB).fill(1);
    const before = held();
    for (let i = 0; i < 2; i++) gc.received(16 * MB); // what the first finds is given back by the second at the latest
    return before - held();
  };
  expect(after(new MinorGc(() => {}))).toBeLessThan(10 * MB);
  expect(after(new MinorGc())).toBeGreaterThan(10 * MB);
});
