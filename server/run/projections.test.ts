import { expect, test } from "vitest";
import type { Hash, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { rules } from "../../test/harness/event-log.ts";
import type { Accepted } from "../coordinator/events.ts";
import { begin } from "../coordinator/state.ts";
import { Projections } from "./projections.ts";

const hash = (n: number) => n.toString(16).padStart(64, "0") as Hash;
const volunteer = "v".repeat(43) as VolunteerKey;
const a = "a".repeat(22) as TicketId;
const b = "b".repeat(22) as TicketId;

const accepted = (ticket: TicketId, position: number): Accepted => ({
  ...{
    type: "accepted",
    at: 1,
    ticket,
    volunteer,
    delta: hash(9),
    version: 0,
    tokens: 32,
    position,
    took: 1,
  },
  report: { loss: 2, trainMs: 1, device: "test" },
});

const sealed = { record: hash(8), signature: "s" as Signature };

test("a frame's place is known from its acceptance to its delta's end, whichever that is", () => {
  const projections = new Projections(begin({ type: "created", at: 0, hash: hash(0), genesis: {} }), 1);
  projections.apply(rules, accepted(a, 0), 1);
  projections.apply(rules, accepted(b, 1), 1);
  expect([...projections.frames]).toEqual([
    [a, 1],
    [b, 2],
  ]);
  expect(projections.needs).toBe(1);
  projections.apply(
    rules,
    { type: "closed", at: 2, version: 0, merged: [{ ticket: b, weight: 1 }], discarded: [a] },
    2,
  );
  expect([...projections.frames]).toEqual([[b, 2]]);
  const { closing } = projections.state;
  expect(projections.placesOf(closing?.event)).toEqual([{ sequence: 2, weight: 1 }]);
  const { ended, entries } = projections.apply(
    rules,
    { type: "published", at: 3, version: 1, hash: hash(2), diff: hash(3), diffBytes: 1, ...sealed },
    3,
  );
  expect(ended).toEqual([{ ticket: b, version: 1 }]);
  expect(entries).toContainEqual({ type: "ended", ticket: b, version: 1 });
  expect(projections.frames.size).toBe(0);
  expect(projections.state).toMatchObject({ version: 1, merged: 1, discarded: 1 });
  expect(projections.late.kept.map(({ ticket, into }) => [ticket, into])).toEqual([
    [a, undefined],
    [b, 1],
  ]);
  expect(projections.needs).toBe(projections.applied);
});

test("an event that contradicts the state changes nothing", () => {
  const projections = new Projections(begin({ type: "created", at: 0, hash: hash(0), genesis: {} }), 1);
  const { state } = projections;
  const missing = { type: "closed", at: 1, version: 0, merged: [{ ticket: a, weight: 1 }] } as const;
  expect(() => projections.apply(rules, missing, 1)).toThrow("does not wait");
  expect(projections.state).toBe(state);
  expect(projections.applied).toBe(1);
});
