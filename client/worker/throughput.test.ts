import { expect, test } from "vitest";
import { Pace } from "./throughput.ts";

/** A volunteer that trains for a second and whose link takes so long, several times over. */
function paced(link: number, waited = 0): Pace {
  const pace = new Pace();
  for (let i = 0; i < 5; i++) {
    pace.trained(1_000, 1_000);
    pace.sent(1_000, link / 2);
    pace.waited(waited);
    pace.prepared(link / 2);
  }
  return pace;
}

test("training ahead begins where the link takes more than a fifth of the time", () => {
  expect(new Pace().overlaps).toBe(false);
  expect(paced(240).overlaps).toBe(false);
  expect(paced(260).overlaps).toBe(true);
});

test("who waits for its turn for longer than two tickets take does not train ahead", () => {
  expect(paced(500, 2_900).overlaps).toBe(true);
  expect(paced(500, 3_100).overlaps).toBe(false);
});

test("one that was late says nothing of what is usual", () => {
  const pace = paced(240);
  pace.sent(1_000, 60_000);
  expect(pace.overlaps).toBe(false);
  expect(pace.told).toEqual({ speed: 1_000, uplink: 8_333 });
});
