import { describe, expect, it } from "vitest";
import { F32 } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { addFrames, encodeFrame } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import {
  type Change,
  change,
  type Event,
  LATE_PART,
  outcomeOf,
  reduce,
  START,
  type State,
} from "./local-state-reducer.ts";

const id = "a".repeat(21).padEnd(22, "A") as TicketId;
const DECAY = 0.5;
const stateAfter = (state: State, ...events: readonly Event[]): State =>
  events.reduce((before, event) => reduce(before, event, DECAY).state, state);
const begun = (version: number, fresh = false, moments = true): Event => ({
  type: "begun",
  ticket: { version, fresh },
  moments,
});
const packed = (version: number): Event => ({ type: "packed", ticket: { version, id } });
const late = (value: number, { age }: State): Event => ({
  type: "settled",
  outcome: "late",
  made: age,
  sent: encodeFrame(F32, Float32Array.of(value)),
});
/** What is added of a vector of one value. */
const added = (change: Change | undefined): number | undefined => {
  if (change?.plus === undefined) return undefined;
  const sum = new Float32Array(1);
  addFrames(change.plus, sum);
  return sum[0];
};
/** A volunteer that has sent a delta of version 10. */
const SENT = stateAfter(START, begun(10), packed(10), { type: "saved" }, { type: "sending" });

describe("an answer's row in the table", () => {
  it.each([
    ["taken", "taken", { residual: undefined, left: true, unsaved: false }],
    [new ProtocolError("stale", ""), "late", { residual: 1, left: true, unsaved: true }],
    [new ProtocolError("lease-expired", ""), "late", { residual: 1, left: true, unsaved: true }],
    [new ProtocolError("not-finite", ""), "invalid", { residual: undefined, left: false, unsaved: false }],
    [
      new ProtocolError("norm-too-large", ""),
      "invalid",
      { residual: undefined, left: false, unsaved: false },
    ],
    [new ProtocolError("banned", ""), "lost", { residual: 0, left: true, unsaved: true }],
    [new ProtocolError("ticket-used", ""), "lost", { residual: 0, left: true, unsaved: true }],
    ["unknown", "lost", { residual: 0, left: true, unsaved: true }],
  ] as const)("%s means %s", (answer, outcome, row) => {
    expect(outcomeOf(answer)).toBe(outcome);
    const event: Event = outcome === "late" ? late(8, SENT) : { type: "settled", outcome };
    const { state, residual } = reduce(SENT, event, DECAY);
    expect({
      residual: residual?.factor,
      left: state.left !== undefined,
      unsaved: state.unsaved,
    }).toEqual(row);
    expect(added(residual)).toEqual(outcome === "late" ? Math.fround(8 * LATE_PART) : undefined);
  });
});

describe("a residual's age", () => {
  it.each([
    ["once, where no version was published", 10, 0.5],
    ["once a version", 13, 0.125],
    ["to nothing after 50 versions", 61, 0],
    ["to nothing where its version was rolled back", 9, 0],
  ])("goes down %s", (_, version, factor) => {
    expect(reduce(SENT, begun(version), DECAY).residual).toEqual({ factor });
  });

  it("goes down once, however many tickets of a version come to nothing", () => {
    const again = stateAfter(SENT, begun(10), begun(10));
    expect(reduce(again, begun(10), DECAY).residual).toEqual({ factor: 1 });
  });
});

describe("a late delta", () => {
  it("counts as it would have aged by now", () => {
    const { residual } = reduce(stateAfter(SENT, begun(12)), late(8, SENT), DECAY);
    expect(added(residual)).toBe(Math.fround(2 * LATE_PART));
  });

  it("after another one gives back only what is newer; control: after a receipt it gives all", () => {
    const once = stateAfter(SENT, late(8, SENT));
    const both = added(reduce(once, late(8, once), DECAY).residual);
    expect(both).toBeCloseTo((8 - 8 * LATE_PART) * LATE_PART, 5);
    const between = stateAfter(once, { type: "settled", outcome: "taken" });
    expect(added(reduce(between, late(8, between), DECAY).residual)).toBeCloseTo(8 * LATE_PART, 5);
  });

  it("is remembered as it was sent, and only of the last three in a row", () => {
    let state = SENT;
    for (let i = 0; i < 5; i++) state = stateAfter(state, late(8, state));
    expect(state.late?.shares).toHaveLength(3);
    const exact = [1, 2, 3, 4, 5].reduce((before) => (8 - before) * LATE_PART, 0);
    expect(added({ factor: 1, plus: state.late!.shares })).toBeCloseTo(exact, 3);
  });

  it("goes into no fresh ticket, but into what is aside meanwhile", () => {
    const alone = stateAfter(SENT, begun(11, true, false));
    expect(reduce(alone, late(8, SENT), DECAY).residual).toBeUndefined();
    const aside = stateAfter(SENT, begun(11, true));
    expect(aside.aside).toBe(true);
    expect(reduce(aside, late(8, SENT), DECAY).residual?.factor).toBe(1);
  });
});

describe("the disk", () => {
  it("has the residual from a save until an upload takes it in", () => {
    const saved = stateAfter(START, begun(10), packed(10), { type: "saved" });
    expect([saved.unsaved, saved.residualOnDisk]).toEqual([false, true]);
    expect(stateAfter(saved, { type: "sending" }).residualOnDisk).toBe(false);
  });

  it("gives back what it has: a residual that is still to age, or none", () => {
    const found = stateAfter(START, { type: "restored", left: { version: 10, after: id }, inner: "muon" });
    expect(reduce(found, begun(10), DECAY).residual).toEqual({ factor: 0.5 });
    const none = stateAfter(SENT, { type: "restored", left: undefined, inner: undefined });
    expect([none.left, none.residualOnDisk]).toEqual([undefined, false]);
    expect(reduce(none, begun(99), DECAY).residual).toEqual({ factor: 1 });
  });
});

it("what is forgotten leaves only its age, which uploads on their way refer to", () => {
  const old = stateAfter(SENT, begun(13));
  const { age, left, unsaved } = stateAfter(old, { type: "forgotten" });
  expect([age, left, unsaved]).toEqual([old.age, undefined, false]);
});

it("a change of a residual scales it and adds to it, where it lies", () => {
  const residual = Float32Array.of(4, 8);
  change(residual, { factor: 0.5 });
  expect(residual).toEqual(Float32Array.of(2, 4));
  const frame = encodeFrame(F32, Float32Array.of(3, 5));
  change(residual, { factor: 1, plus: [{ frame, share: 2 }] });
  expect(residual).toEqual(Float32Array.of(8, 14));
});
