import { expect, test } from "vitest";
import type { Hash, Signature } from "../../protocol/ids.ts";
import type { RolledBack } from "../coordinator/events.ts";
import { begin } from "../coordinator/state.ts";
import { AppliedEvents } from "./applied-events.ts";
import type { Recordable } from "./event-log.ts";

const hash = "0".repeat(64) as Hash;
const signature = "s".repeat(86) as Signature;
const made = { at: 4, version: 3, hash, record: hash, signature };
const published: Recordable = { type: "published", ...made, diff: hash, diffBytes: 9 };
const backTo = (reason: RolledBack["reason"]): Recordable => ({
  type: "rolled-back",
  ...made,
  to: 1,
  reason,
});

/** What the parts of a run are asked for by an event. */
function askedBy(event: Recordable): string[] {
  const asked: string[] = [];
  const note = (what: string) => void asked.push(what);
  const events = new AppliedEvents({
    observe: ({ type }) => note(`observe ${type}`),
    projections: { applied: 7 },
    clock: { reach: (at) => note(`reach ${at}`) },
    index: { add: (entries) => note(`index ${entries.length}`) },
    versions: {
      advance: () => note("advance"),
      rolledBack: ({ version, needs }) => note(`rolled back ${version} ${needs}`),
    },
    quality: { weigh: (version) => note(`weigh ${version}`), inquire: () => note("inquire") },
    effects: { perform: (effects) => note(`perform ${effects.length}`) },
    textAdded: () => note("text"),
  });
  const state = begin({ type: "created", at: 0, hash, genesis: {} });
  events.apply(event, { state, effects: [{ type: "roll-back", to: 1 }], ended: [], entries: [] });
  return asked;
}

test("an event is observed and indexed, and its effects come last", () => {
  expect(askedBy({ type: "state", at: 1, state: "paused" })).toEqual([
    ...["observe state", "index 0", "perform 1"],
  ]);
});

test("a published version is the current one, and its deltas are weighed", () => {
  expect(askedBy(published)).toEqual(["observe published", "index 0", "advance", "weigh 3", "perform 1"]);
});

test("a roll-back for the held-out loss asks who did the harm; the control: an operator's does not", () => {
  const back = ["observe rolled-back", "index 0", "advance", "rolled back 3 7"];
  expect(askedBy(backTo("held-out loss"))).toEqual([...back, "inquire", "perform 1"]);
  expect(askedBy(backTo("operator"))).toEqual([...back, "perform 1"]);
});

test("a text that came in counts for what is decided before its effects", () => {
  const text: Recordable = { type: "text-added", at: 3, version: 0, from: 5, text: hash, tokens: 100 };
  expect(askedBy(text)).toEqual(["observe text-added", "index 0", "text", "perform 1"]);
});
