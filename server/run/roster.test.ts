import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { MAX_ENLISTED } from "../../protocol/roster.ts";
import { addStrike, applyRuling, NO_TRUST, recordPass, type Trust } from "../trust/standing.ts";
import { Refusals } from "./refusals.ts";
import { type RosterParts, rosterOf } from "./roster.ts";

const key = (name: string) => `${name}_`.padEnd(43, "k") as VolunteerKey; // an example needs no real key
const ticket = "t".repeat(22) as TicketId;

function parts(trust: Trust, refusals = new Refusals(), tokens: Record<string, number> = {}): RosterParts {
  return {
    trust,
    now: 1_000,
    refusedLately: (most) => refusals.lately(most),
    reasonsOf: (volunteer) => refusals.reasonsOf(volunteer),
    nameOf: (volunteer) => (volunteer === key("giver") ? "Ann" : undefined),
    togetherOf: (volunteer) =>
      volunteer === key("giver")
        ? { linked: 2, tokens: 70, recent: 0, merged: 7 }
        : { linked: 0, tokens: 0, recent: 0, merged: 0 },
    creditOf: (volunteer) => {
      const given = tokens[volunteer] ?? 0;
      const refused = refusals.of(volunteer) + (volunteer === key("struck") ? 2 : 0);
      return { tokens: given, recent: 0, merged: given / 10, pending: 0, refused };
    },
  };
}

describe("the operator's list of volunteers", () => {
  it("says who is kept out and until when, what was refused of whom and why, and who gave what", () => {
    let trust = applyRuling(NO_TRUST, key("banned"), true);
    trust = recordPass(addStrike(trust, key("struck"), 500), key("giver"), ticket);
    const refusals = new Refusals();
    for (const code of ["stale", "not-finite", "stale"] as ErrorCode[]) refusals.count(code, key("late"));
    const list = rosterOf(parts(trust, refusals, { [key("giver")]: 50 }), [key("giver"), key("fresh")]);
    expect(list.map(({ linked, together }) => [linked, together])[3], "with its other keys").toEqual([2, 70]);
    const told = list.map(({ volunteer, name, standing, outMs, merged, discarded, refused }) => [
      volunteer.replace(/_k*$/, ""),
      ...[name, standing, outMs, merged, discarded, refused],
    ]);
    expect(told).toEqual([
      ["banned", null, "banned", 0, 0, 0, {}],
      ["struck", null, "quarantined", 119_500, 0, 2, {}],
      ["late", null, "new", 0, 0, 0, { stale: 2, "not-finite": 1 }],
      ["giver", "Ann", "trusted", 0, 5, 0, {}],
      ["fresh", null, "new", 0, 0, 0, {}],
    ]);
  });

  it("is bounded, and none of its kinds crowds the others out", () => {
    const many = (kind: string) => Array.from({ length: 500 }, (_, i) => key(`${kind}-${i}-`));
    const trust = many("banned").reduce((so, volunteer) => applyRuling(so, volunteer, true), NO_TRUST);
    const refusals = new Refusals();
    for (const volunteer of many("refused")) refusals.count("stale", volunteer);
    const list = rosterOf(parts(trust, refusals), many("seen"));
    expect(list).toHaveLength(MAX_ENLISTED);
    const of = (kind: string) => list.filter(({ volunteer }) => volunteer.startsWith(kind)).length;
    expect([of("banned"), of("refused"), of("seen")]).toEqual([20, 20, 20]);
    // The newest of each.
    expect(list.some(({ volunteer }) => volunteer === key("banned-499-"))).toBe(true);
    expect(list.some(({ volunteer }) => volunteer === key("refused-499-"))).toBe(true);
    expect(list.some(({ volunteer }) => volunteer === key("seen-0-"))).toBe(true);
  });
});
