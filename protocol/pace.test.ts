import { expect, test } from "vitest";
import { parsePace } from "./pace.ts";

test("a request for work may say how fast its volunteer is", () => {
  expect(parsePace({})).toEqual({});
  expect(parsePace({ speed: 12_000, uplink: 625_000.5, others: "ignored" })).toEqual({
    speed: 12_000,
    uplink: 625_000.5,
  });
  expect(parsePace({ mirrored: 5_000 })).toEqual({ mirrored: 5_000 });
  expect(parsePace({ downlink: 1e300 })).toEqual({ downlink: 1e12 });
  expect(parsePace({ speeds: [900, 1_000.5, 1e300] })).toEqual({ speeds: [900, 1_000.5, 1e12] });
  expect(parsePace({ speeds: [] })).toEqual({ speeds: [] });
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, "fast", null])(
  "a speed of %o is refused",
  (speed) => {
    expect(() => parsePace({ speed })).toThrow(expect.objectContaining({ code: "bad-request" }));
  },
);

test.each([{ 0: 1 }, 5, null, [0], [1, -1], [1, null, 3], ["1"], [1, 2, 3, 4, 5, 6]])(
  "speeds of %o are refused",
  (speeds) => {
    expect(() => parsePace({ speeds })).toThrow(expect.objectContaining({ code: "bad-request" }));
  },
);
