import { expect, test } from "vitest";
import { F32 } from "../../protocol/codec/codec.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { Hash, RunId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { signTicket } from "../../protocol/ticket.ts";
import { deltaOf, nonceOf, tinySettings, uploadOf } from "../../test/harness/tiny-run.ts";
import { MAX_POOL, PAUSED_RETRY_MS } from "../coordinator/rules.ts";
import { begin, type Pooled, type State } from "../coordinator/state.ts";
import { addStrike, applyRuling, NO_TRUST, standingOf } from "../trust/standing.ts";
import { MAX_SUSPECTS } from "../trust/weigh.ts";
import { admit, requireSpace, type Situation } from "./admission.ts";

const hash = "0".repeat(64) as Hash;
const volunteer = "v".repeat(43) as VolunteerKey;
const server = await createIdentity();
const ticket = await signTicket(server.privateKey, {
  ...{ run: "a".repeat(64) as RunId, id: nonceOf(1), volunteer, version: 0, hash, shard: hash },
  ...{ window: 0, seed: 1, steps: 2, batch: 2, rates: [0.1, 0.1], fresh: false, lease: 1_000, issued: 0 },
});
const upload = uploadOf(ticket, deltaOf(1));
const state = begin({ type: "created", at: 0, hash, genesis: {} });
const situation = (changes: Partial<State> = {}, coming = 0): Situation => ({
  state: { ...state, ...changes },
  definition: { task: { parameters: 10 }, delta: F32, settings: tinySettings() },
  ...{ now: 500, coming },
});

test("A7, the control: an honest delta of a stranger is let in, and measured", () => {
  const norm = Math.sqrt(deltaOf(1).reduce((sum, x) => sum + x * x, 0));
  expect(admit(upload, situation())).toBeCloseTo(norm, 6);
});

test("a banned volunteer's delta is refused, and let in again once it is forgiven", () => {
  const banned = applyRuling(NO_TRUST, volunteer, true);
  expect(() => admit(upload, situation({ trust: banned }))).toThrow(
    expect.objectContaining({ code: "banned" }),
  );
  admit(upload, situation({ trust: applyRuling(banned, volunteer, false) }));
});

test("a quarantined volunteer learns when to come back, and is let in then", () => {
  const trust = addStrike(NO_TRUST, volunteer, 400);
  const { until } = standingOf(trust, volunteer);
  const retryAfterMs = Math.max(PAUSED_RETRY_MS, until - 500);
  expect(() => admit(upload, situation({ trust }))).toThrow(
    expect.objectContaining({ code: "quarantined", retryAfterMs }),
  );
  const later = { ...situation({ trust }), now: until };
  expect(() => admit(upload, later)).toThrow(expect.objectContaining({ code: "lease-expired" }));
});

test("uploads on their way into the pool count as waiting in it", () => {
  admit(upload, situation({}, MAX_POOL - 1));
  expect(() => admit(upload, situation({}, MAX_POOL))).toThrow(
    expect.objectContaining({ code: "too-many-requests" }),
  );
});

test("suspects fill a part of the pool, and others still find room", () => {
  const suspect = { facts: { size: 1, copies: nonceOf(9) } };
  const pooled = (i: number): Pooled => ({
    ...{ ticket: String(i).padStart(22, "a") as TicketId, volunteer, version: 0, tokens: 32 },
    ...{ delta: hash, at: 0, ...suspect },
  });
  const pool = Array.from({ length: MAX_SUSPECTS }, (_, i) => pooled(i));
  const full = { pool, trust: NO_TRUST };
  expect(() => requireSpace(suspect.facts, full)).toThrow(
    expect.objectContaining({ code: "too-many-requests" }),
  );
  requireSpace(suspect.facts, { ...full, pool: pool.slice(1) });
  requireSpace({ size: 1 }, full);
});
