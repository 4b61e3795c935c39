import { expect, test } from "vitest";
import { Throughput } from "./throughput.ts";

/** A volunteer that trains for a second and whose link takes so long, several times over. */
function paced(link: number, waited = 0): Throughput {
  const throughput = new Throughput();
  for (let i = 0; i < 5; i++) {
    throughput.trained(1_000, 1_000);
    throughput.sent(1_000, link / 2);
    throughput.waited(waited);
    throughput.prepared(link / 2);
  }
  return throughput;
}

test("training ahead begins where the link takes more than a fifth of the time", () => {
  expect(new Throughput().overlaps).toBe(false);
  expect(paced(240).overlaps).toBe(false);
  expect(paced(260).overlaps).toBe(true);
});

test("who waits for its turn for longer than two tickets take does not train ahead", () => {
  expect(paced(500, 2_900).overlaps).toBe(true);
  expect(paced(500, 3_100).overlaps).toBe(false);
});

test("one that was late says nothing of what is usual", () => {
  const throughput = paced(240);
  throughput.sent(1_000, 60_000);
  expect(throughput.overlaps).toBe(false);
  expect(throughput.measured).toEqual({ speed: 1_000, uplink: 8_333 });
});
