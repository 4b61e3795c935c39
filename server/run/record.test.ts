import { describe, expect, test } from "vitest";
import { concat } from "../../protocol/bytes.ts";
import { MIDRISE2 } from "../../protocol/codec/codec.ts";
import type { Hash, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Accepted, Closed, DurableEvent, Evaluated, Published, Sampled } from "../coordinator/events.ts";
import { joinRecord } from "../store/record-parts.ts";
import { decodeRecord, encodeEvent } from "./record.ts";

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
  report: { loss: 2.5, trainMs: 9, device: "wasm", steps: 4 },
  asked: { steps: 5, batch: 2, trainFor: 900, inner: "muon", delta: MIDRISE2 },
  norm: 1 / 7,
  facts: { size: 1 / 3, tensors: [1 / 9], agreement: -0.1, copies: ticket, from: "net" },
};
const published: Published = {
  ...{ type: "published", at: 9, version: 2, hash, diff: hash, diffBytes: 8, norm: 1 / 7, record: hash },
  signature: "s".repeat(86) as Signature,
};
const sampled: Sampled = {
  ...{ type: "sampled", at: 9, version: 2 },
  effects: [{ ticket, volunteer: accepted.volunteer, effect: -1 / 3 }],
};
const closed: Closed = {
  type: "closed",
  at: 8,
  version: 1,
  merged: [{ ticket, weight: 32 / Math.SQRT2, tokens: 9 }],
  total: 1 / 3,
  inner: "muon",
  crowd: true,
  discarded: [ticket],
};
const evaluated: Evaluated = {
  type: "evaluated",
  at: 9,
  version: 1,
  tokens: 32,
  loss: 1 / 3,
  sample: "\ud800",
};

describe("journal records", () => {
  test.each<DurableEvent>([accepted, closed, { ...closed, crowd: 0.4 }, published, evaluated, sampled])(
    "$type reads back as it was, and its frame",
    (event) => {
      const frame = Uint8Array.of(1, 2, 3);
      expect(decodeRecord(concat(...joinRecord(encodeEvent(event), frame)))).toEqual({ event, frame });
    },
  );

  test.each<[string, DurableEvent]>([
    ["a loss that is no number", { ...evaluated, loss: Number.NaN }],
    ["an infinite loss", { ...evaluated, loss: Number.POSITIVE_INFINITY }],
    ["a report without a number", { ...accepted, report: { ...accepted.report, loss: Number.NaN } }],
    ["an infinite weight", { ...closed, merged: [{ ticket, weight: Number.POSITIVE_INFINITY }] }],
    ["a time between two milliseconds", { ...closed, at: 0.5 }],
  ])("%s is refused before it is written", (_what, event) => {
    expect(() => encodeEvent(event)).toThrow(/would not read back/);
  });
});
