import { describe, expect, test } from "vitest";
import { concat } from "../../protocol/bytes.ts";
import type { Hash, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Accepted, Closed, DurableEvent, Evaluated } from "../coordinator/events.ts";
import { decodeRecord, encodeRecord } from "./record.ts";

const hash = "a".repeat(64) as Hash;
const ticket = "A".repeat(22) as TicketId;
const accepted: Accepted = {
  type: "accepted",
  at: 7,
  ticket,
  volunteer: "A".repeat(43) as VolunteerKey,
  delta: hash,
  version: 1,
  tokens: 32,
  position: 3,
  took: 5,
  report: { loss: 2.5, trainMs: 9, device: "wasm" },
};
const closed: Closed = { type: "closed", at: 8, version: 1, merged: [{ ticket, weight: 32 / Math.SQRT2 }] };
const evaluated: Evaluated = {
  type: "evaluated",
  at: 9,
  version: 1,
  tokens: 32,
  loss: 1 / 3,
  sample: "\ud800",
};

describe("journal records", () => {
  test.each<DurableEvent>([accepted, closed, evaluated])(
    "$type reads back as it was, and its frame",
    (event) => {
      const frame = Uint8Array.of(1, 2, 3);
      expect(decodeRecord(concat(...encodeRecord(event, frame)))).toEqual({ event, frame });
    },
  );

  test.each<[string, DurableEvent]>([
    ["a loss that is no number", { ...evaluated, loss: Number.NaN }],
    ["an infinite loss", { ...evaluated, loss: Number.POSITIVE_INFINITY }],
    ["a report without a number", { ...accepted, report: { ...accepted.report, loss: Number.NaN } }],
    ["an infinite weight", { ...closed, merged: [{ ticket, weight: Number.POSITIVE_INFINITY }] }],
    ["a time between two milliseconds", { ...closed, at: 0.5 }],
  ])("%s is refused before it is written", (_what, event) => {
    expect(() => encodeRecord(event)).toThrow(/would not read back/);
  });
});
