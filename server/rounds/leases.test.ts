import { expect, test } from "vitest";
import type { Hash, RunId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { passed } from "../trust/standing.ts";
import { mean } from "../trust/weigh.ts";
import { lease } from "./leases.ts";
import { Ranges } from "./ranges.ts";
import { MAX_LEASES, MAX_SEEN, type Rules } from "./rules.ts";
import { begin, type State } from "./state.ts";

const hash = "0".repeat(64) as Hash;
const key = (name: number | string) => String(name).padStart(43, "0") as VolunteerKey;
const rules: Rules = {
  run: "r" as RunId,
  ranges: new Ranges([{ hash, tokens: 8 * 40 + 1 }], 4, 8, 1),
  steps: () => 2,
  batch: 2,
  context: 8,
  leaseMs: 60_000,
  quorum: 2,
  crowd: 100_000,
  tokenBudget: 1_000,
  weigh: mean,
  tripwire: Number.POSITIVE_INFINITY,
  rates: () => [0.1, 0.1],
};

test("A22: ever new keys hold half of the leases at most, so that who is trusted still gets work; memory is bounded", () => {
  const created = begin({ type: "created", at: 0, hash, genesis: {} });
  let state: State = { ...created, trust: passed(created.trust, key("trusted"), "t" as TicketId, 1) };
  let tickets = 0;
  const ask = (volunteer: VolunteerKey, now: number) => {
    const answer = lease(
      rules,
      state,
      { volunteer, ticket: `${tickets++}` as TicketId, pace: {}, since: 0 },
      now,
    );
    ({ state } = answer);
    return answer.effect.type;
  };
  // As if so many strangers had asked, one after another; asking takes a look at all leases.
  const leases = new Map(
    Array.from({ length: MAX_LEASES / 2 - 1 }, (_, i) => [
      `of ${i}` as TicketId,
      { volunteer: key(i), position: i, expires: 60_000 },
    ]),
  );
  const seen = new Map(Array.from({ length: MAX_SEEN }, (_, i) => [key(i), 0]));
  state = { ...state, soft: { leases, queue: [], next: leases.size, seen } };
  expect(ask(key("a stranger"), 1)).toBe("lease");
  expect(ask(key("another"), 1)).toBe("refuse");
  expect(ask(key("trusted"), 1)).toBe("lease");
  expect(state.soft.leases.size).toBe(MAX_LEASES / 2 + 1);
  expect(state.soft.seen.size).toBe(MAX_SEEN);
  // The control: when the leases end there is work for strangers again.
  expect(ask(key("another"), 60_001)).toBe("lease");
});
