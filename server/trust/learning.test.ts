import { expect, test } from "vitest";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { Learning, NEWEST, weightsAgainst } from "./learning.ts";
import { addStrike, NO_TRUST, recordPass, standingOf, type Trust } from "./standing.ts";

const at = (version: number, loss: number) => ({ version, heldOut: [{ version, tokens: 0, loss }] });
const BLAMED = { verdict: "bad", reason: "no-gain" } as const;

test("what was seen on weights that came back says nothing of the newest, nor of others", () => {
  const learning = new Learning();
  learning.note(BLAMED, "back", at(12, 4));
  expect(learning.on("back", at(40, 9))).toBe("same"); // the same weights for as long as anybody asks
  expect(learning.on(NEWEST, at(12, 4))).toBe("unknown");
  expect(learning.on("other", at(12, 4))).toBe("unknown");
  expect(learning.on(undefined, at(12, 4))).toBe("unknown");
});

test("the newest weights are taken to learn for eight versions, and only while the loss has not risen", () => {
  const learning = new Learning();
  expect(learning.on(NEWEST, at(0, 5))).toBe("unknown");
  learning.note(BLAMED, NEWEST, at(10, 4));
  expect(learning.on(NEWEST, at(17, 4))).toBe("lately");
  expect(learning.on(NEWEST, at(18, 4))).toBe("unknown");
  expect(learning.on(NEWEST, at(11, 4.1))).toBe("unknown");
});

test("nothing is learned from a verdict that blames nobody, from a mismatch, or on weights without a name", () => {
  const learning = new Learning();
  learning.note({ verdict: "unclear", reason: "no-gain" }, NEWEST, at(10, 4));
  learning.note({ verdict: "bad", reason: "mismatch" }, NEWEST, at(10, 4));
  learning.note(BLAMED, undefined, at(10, 4));
  expect(learning.on(NEWEST, at(10, 4))).toBe("unknown");
  expect(learning.on(undefined, at(10, 4))).toBe("unknown");
});

test("A14: what was seen of others' deltas speaks against a stranger alone; against somebody trusted, the control, nothing does", () => {
  const learning = new Learning();
  learning.note(BLAMED, NEWEST, at(10, 4));
  const volunteer = "v" as VolunteerKey;
  const known = recordPass(NO_TRUST, volunteer, "t" as TicketId);
  const learns = (trust: Trust) => learning.on(weightsAgainst(standingOf(trust, volunteer)), at(11, 4));
  expect(learns(NO_TRUST)).toBe("lately");
  expect(learns(known)).toBe("unknown");
  expect(learns(addStrike(known, volunteer, 0))).toBe("lately");
});
