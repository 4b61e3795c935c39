import { expect, test } from "vitest";
import { fuzz } from "./harness/fuzz.ts";
import { targets } from "./harness/fuzz-targets.ts";

/** No good input has a kilobyte of values or more than some of text: what asks for more was believed, not checked. */
const MAX_BYTES = 1024 * 1024;

test("A6: every decoder refuses changed bytes with one of its own errors, and none is slow or takes much memory", {
  timeout: 60_000,
}, async () => {
  const { runs, crashes, slowestMs, largestBytes } = await fuzz(8_000, 1);
  expect(crashes).toEqual([]);
  expect(runs).toBeGreaterThan(1_000);
  expect(slowestMs).toBeLessThan(5_000);
  expect(largestBytes).toBeGreaterThan(0); // the measure works
  expect(largestBytes).toBeLessThan(MAX_BYTES);
});

test("A6, the control: the good input of all decoders but one is read", async () => {
  let read = 0;
  let all = 0;
  for (const { good, decode } of await targets()) {
    for (const bytes of good) {
      all += 1;
      try {
        decode(bytes);
        read += 1;
      } catch {
        // one is only good up to its first check
      }
    }
  }
  expect(read).toBeGreaterThanOrEqual(all - 1);
});
