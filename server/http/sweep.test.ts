import { getHeapStatistics } from "node:v8";
import { expect, test } from "vitest";
import { Sweep } from "./sweep.ts";

const MB = 1024 * 1024;

test("sweeps once in sixteen megabytes", () => {
  let swept = 0;
  const sweep = new Sweep(() => swept++);
  for (let i = 0; i < 64; i++) sweep.received(MB);
  expect(swept).toBe(4);
  sweep.received(100 * MB);
  expect(swept).toBe(5);
});

test("buffers that nobody holds are let go of; control: without a sweep they stay", () => {
  const held = () => getHeapStatistics().external_memory;
  const after = (sweep: Sweep) => {
    for (let i = 0; i < 20; i++) new Uint8Array(MB).fill(1);
    const before = held();
    for (let i = 0; i < 2; i++) sweep.received(16 * MB); // what the first finds is given back by the second at the latest
    return before - held();
  };
  expect(after(new Sweep(() => {}))).toBeLessThan(10 * MB);
  expect(after(new Sweep())).toBeGreaterThan(10 * MB);
});
