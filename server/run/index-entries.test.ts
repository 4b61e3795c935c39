import { expect, test } from "vitest";
import type { Hash, RunId } from "../../protocol/ids.ts";
import { indexedDelta } from "../../test/harness/index-contract.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import type { Audited } from "../coordinator/events.ts";
import { begin } from "../coordinator/state.ts";
import type { IndexEntry } from "../store/store.ts";
import { forfeitOf } from "../trust/audit.ts";
import { recordPass } from "../trust/standing.ts";
import { entriesOf } from "./index-entries.ts";

const DELTAS = Array.from({ length: 40 }, (_, n) => indexedDelta(n, "veteran"));
const { volunteer } = DELTAS[0]!;
const FRESH = begin({ type: "created", at: 0, hash: "0".repeat(64) as Hash, genesis: {} });

/** Credit left of 40 merged deltas of 10 tokens each of a veteran, once an audit found its fifth bad. */
function leftAfter(forfeit: Pick<Audited, "forfeits">): number {
  const index = memoryIndex();
  index.clear("0".repeat(64) as RunId);
  index.apply(DELTAS.map((delta): IndexEntry => ({ type: "accepted", delta })));
  index.apply(DELTAS.map(({ ticket }): IndexEntry => ({ type: "ended", ticket, version: 1 })));
  const { ticket } = DELTAS[4]!;
  const passed = (trust: typeof FRESH.trust) => recordPass(trust, volunteer, ticket);
  const state = { ...FRESH, trust: passed(passed(FRESH.trust)) };
  const found = { type: "audited", at: 9, ticket, volunteer, verdict: "bad", reason: "no-gain" } as const;
  index.apply(entriesOf(state, { ...found, ...forfeit }, []));
  return index.credit(volunteer, 0).tokens;
}

test("A32: a veteran found bad once loses the credit of its newest 32 deltas too; by a journal of before that, the control, of one", () => {
  expect(leftAfter(forfeitOf({ verdict: "bad" }))).toBe(400 - 330);
  expect(leftAfter({})).toBe(390);
});

test("A32: found bad for a roll-back, where all recent deltas are audited, it loses that delta's credit alone; good, none", () => {
  expect(leftAfter(forfeitOf({ verdict: "bad", on: "0".repeat(64) }))).toBe(390);
  expect(forfeitOf({ verdict: "good" })).toEqual({});
  expect(forfeitOf({ verdict: "unclear" })).toEqual({});
});
