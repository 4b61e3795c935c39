import { describe, expect, test } from "vitest";
import type { TicketId } from "../../protocol/ids.ts";
import { key, known, NONE } from "../../test/harness/trust.ts";
import { verdictOf } from "./audit.ts";
import {
  addStrike,
  admitted,
  applyRuling,
  auditChance,
  NO_TRUST,
  recordPass,
  reputation,
  resetSince,
  seen,
  standingOf,
  type Trust,
  trusted,
} from "./standing.ts";
import { upTo, usualGain, usualSize, withGain, withSize } from "./usual.ts";

describe("standing (A24)", () => {
  test("a strike takes trust and weight; it is forgiven by audits passed, and quarantine ends", () => {
    const who = key("v");
    let trust = recordPass(NO_TRUST, who, NONE);
    expect(trusted(standingOf(trust, who))).toBe(true);
    trust = addStrike(trust, who, 1_000);
    expect(trusted(standingOf(trust, who))).toBe(false);
    expect(admitted(standingOf(trust, who), 2_000)).toBe(false);
    expect(admitted(standingOf(trust, who), 200_000)).toBe(true);
    expect(reputation(standingOf(trust, who))).toBe(0.5);
    for (let i = 0; i < 8; i++) trust = recordPass(trust, who, NONE);
    expect(reputation(standingOf(trust, who))).toBe(1);
    const second = addStrike(addStrike(trust, who, 0), who, 0);
    expect(standingOf(second, who).until).toBe(480_000);
  });

  test("A15: a newcomer found bad loses what no audit stood for; one past its probation that delta alone", () => {
    const tickets = ["a", "b", "c"] as TicketId[];
    const having = (trust: Trust) => tickets.reduce((known, id) => seen(known, key("v"), id), trust);
    const unproven = (trust: Trust) => standingOf(trust, key("v")).unproven;
    expect(unproven(having(NO_TRUST))).toEqual(tickets);
    expect(unproven(recordPass(having(NO_TRUST), key("v"), tickets[1]!))).toEqual(["c"]);
    expect(unproven(addStrike(having(NO_TRUST), key("v"), 0))).toEqual([]);
    const veteran = recordPass(recordPass(NO_TRUST, key("v"), NONE), key("v"), NONE);
    expect(unproven(having(veteran))).toEqual([]); // the control
  });

  test("the operator's ban outlasts everything but forgiveness", () => {
    const banned = applyRuling(NO_TRUST, key("v"), true);
    expect(admitted(standingOf(banned, key("v")), Number.MAX_SAFE_INTEGER)).toBe(false);
    expect(admitted(standingOf(applyRuling(banned, key("v"), false), key("v")), 0)).toBe(true);
  });

  test("newcomers are audited surely, veterans ever less, never below 5%", () => {
    let trust = NO_TRUST;
    expect(auditChance(standingOf(trust, key("v")))).toBe(1);
    for (let i = 0; i < 5; i++) trust = seen(recordPass(trust, key("v"), NONE), key("v"), NONE);
    expect(auditChance(standingOf(trust, key("v")))).toBe(0.1);
    for (let i = 0; i < 100; i++) trust = seen(trust, key("v"), NONE);
    expect(auditChance(standingOf(trust, key("v")))).toBe(0.05);
  });

  test("A32: a veteran with a strike is audited five times as often as one without, the control; with two surely", () => {
    const veteran = (strikes: number) => ({
      ...standingOf(NO_TRUST, key("v")),
      passed: 9,
      streak: 500,
      strikes,
    });
    expect([0, 1, 2, 3].map((strikes) => auditChance(veteran(strikes)))).toEqual([0.05, 0.25, 1, 1]);
  });

  test("after a roll-back whoever had a part is a newcomer again", () => {
    const trust = known("a", "b");
    const merged = {
      ...trust,
      standings: new Map(trust.standings).set(key("of a"), { ...standingOf(trust, key("of a")), merged: 9 }),
    };
    const after = resetSince(merged, 5);
    expect([trusted(standingOf(after, key("of a"))), trusted(standingOf(after, key("of b")))]).toEqual([
      false,
      true,
    ]);
  });

  test("A25: a roll-back takes back what was usual since; by that of a broken model, the control, an honest delta is bad", () => {
    // Ten honest deltas gain .02 a step; on the broken model, nine gained .9.
    let { usual } = NO_TRUST;
    for (let version = 1; version <= 10; version++)
      usual = withGain(withSize(usual, version, { size: 1 }), version, 0.02);
    const sound = usual;
    for (let i = 0; i < 9; i++) usual = withGain(withSize(usual, 11, { size: 3 }), 11, 0.9);
    const broken: Trust = { ...NO_TRUST, usual };
    const honest = { assigned: { before: 3, after: 2.9 }, gate: { before: 3, after: 2.9 } };
    expect(verdictOf(honest, 5, broken).verdict).toBe("bad");
    const back = resetSince(broken, 10);
    expect(verdictOf(honest, 5, back).verdict).toBe("good");
    expect(usualSize(back.usual)).toBe(1);
    expect(upTo(usual, 0).gains).toEqual([]);
    expect(usualSize(upTo(usual, 0))).toBe(usualSize(usual)); // sizes are better than none
    expect(usualGain(back.usual)).toBe(usualGain(sound));
  });

  test("a flood of keys is forgotten before anyone who was found good or bad", () => {
    let trust = addStrike(known("good"), key("bad"), 0);
    const standings = new Map(trust.standings);
    for (let i = 0; i < 20_001; i++) standings.set(key(`${i}`), standingOf(trust, key("none")));
    trust = { ...trust, standings };
    trust = seen(trust, key("last"), NONE);
    expect(trusted(standingOf(trust, key("of good")))).toBe(true);
    expect(standingOf(trust, key("bad")).strikes).toBe(1);
  }, 60_000);
});
