import { expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Measured } from "../../protocol/shared-audit.ts";
import { codeOf } from "../../test/harness/code-of.ts";
import { Auditors } from "./auditors.ts";
import { ANSWER_MS, SharedAudits } from "./shared-audits.ts";
import { NO_TRUST, recordPass, standingOf, type Trust } from "./standing.ts";

const key = (name: string) => name.padEnd(43, "-") as VolunteerKey;
const id = (name: string) => name.padEnd(22, "-") as TicketId;
const SENDER = { volunteer: key("sender"), network: "sender's" };

const TRUE: Measured = {
  assigned: { before: 3, after: 2.75, error: 0.1 },
  gate: { before: 3, after: 2.9, error: 0.1 },
};
/** What it measures is a little better: a bit is enough. */
const LIE: Measured = { ...TRUE, gate: { ...TRUE.gate, after: 2.9 - 2 ** -50 } };

/** The keys of these, in order; what is decided comes in the order of the draw. */
const among = (names: readonly string[]) => names.map(key).sort();

const decided = (shared: SharedAudits) => {
  const { right, wrong } = shared.decide(id("a"), TRUE);
  return { right: [...right].sort(), wrong: [...wrong].sort() };
};

interface Someone {
  readonly name: string;
  readonly network?: string;
  readonly newcomer?: true;
}

/** Volunteers that are there and agreed to audit; `spot` says whether agreed audits are settled as well. */
function crowd(volunteers: readonly Someone[], spot = false, seed = 1) {
  let trust: Trust = NO_TRUST;
  for (const { name, newcomer } of volunteers) {
    if (!newcomer) trust = recordPass(trust, key(name), id("passed"));
  }
  const random = new Random(seed);
  const auditors = new Auditors({
    standing: (volunteer) => standingOf(trust, volunteer),
    chance: () => random.unit(),
  });
  const shared = new SharedAudits(auditors, () => (spot ? 0 : 1));
  for (const { name, network = name } of volunteers) auditors.asked(key(name), network, 0);
  /** Who has an audit to make, once everybody has asked for work. */
  const claims = (now = 0) =>
    volunteers.flatMap(({ name }) => (shared.claim(key(name), now) === undefined ? [] : [name]));
  return { auditors, shared, claims, keys: volunteers.map(({ name }) => key(name)) };
}

const several = (count: number, from = 0): Someone[] =>
  Array.from({ length: count }, (_, i) => ({ name: `v${from + i}` }));

test("AU6: three that measure the same to the bit decide, and the server measures nothing", () => {
  const { shared, claims } = crowd(several(8));
  expect(shared.begin(id("a"), SENDER, 0)).toBe(true);
  const drawn = claims();
  expect(drawn).toHaveLength(3);
  const said = drawn.map((name) => shared.answer(id("a"), key(name), { ...TRUE }, 1));
  expect(said).toEqual([undefined, undefined, { agreed: TRUE, settle: false }]);
  expect(decided(shared)).toEqual({ right: among(drawn), wrong: [] });
  expect(shared.size).toBe(0);
});

test("A31: a lone liar of three is found by the two that agree, and the server says who is right", () => {
  const { shared, claims } = crowd(several(8));
  shared.begin(id("a"), SENDER, 0);
  const [liar, ...honest] = claims();
  shared.answer(id("a"), key(liar!), LIE, 1);
  shared.answer(id("a"), key(honest[0]!), TRUE, 1);
  expect(shared.answer(id("a"), key(honest[1]!), TRUE, 1)).toEqual({ agreed: undefined, settle: true });
  expect(decided(shared)).toEqual({ right: among(honest), wrong: [key(liar!)] });
});

test("A31: two of three that tell the same lie are found too; control: a majority vote would believe them", () => {
  const { shared, claims } = crowd(several(8));
  shared.begin(id("a"), SENDER, 0);
  const [honest, ...liars] = claims();
  const told = new Map([[honest!, TRUE], ...liars.map((name): [string, Measured] => [name, LIE])]);
  const votes = [...told.values()].filter((one) => one === LIE).length;
  expect(votes, "the control").toBeGreaterThan(told.size / 2);
  const said = [...told].map(([name, answer]) => shared.answer(id("a"), key(name), answer, 1));
  expect(said.at(-1)).toEqual({ agreed: undefined, settle: true });
  expect(decided(shared)).toEqual({ right: [key(honest!)], wrong: among(liars) });
});

test("A31: three that tell the same lie are believed, until the server makes the same audit", () => {
  const round = (spot: boolean) => {
    const { shared, claims } = crowd(several(8), spot);
    shared.begin(id("a"), SENDER, 0);
    const drawn = claims();
    const said = drawn.map((name) => shared.answer(id("a"), key(name), LIE, 1));
    return { shared, drawn, said: said.at(-1) };
  };
  expect(round(false).said, "the control").toEqual({ agreed: LIE, settle: false });
  const { shared, drawn, said } = round(true);
  expect(said).toEqual({ agreed: LIE, settle: true });
  expect(decided(shared)).toEqual({ right: [], wrong: among(drawn) });
});

test("A31: one in twenty agreed audits is settled by the server", () => {
  const random = new Random(3);
  let settled = 0;
  for (let n = 0; n < 2_000; n++) {
    const { auditors, claims } = crowd(several(4), false, n);
    const shared = new SharedAudits(auditors, () => random.unit());
    shared.begin(id("a"), SENDER, 0);
    const drawn = several(4).filter(({ name }) => shared.claim(key(name), 0) !== undefined);
    const said = drawn.map(({ name }) => shared.answer(id("a"), key(name), TRUE, 1)).at(-1);
    settled += said?.settle ? 1 : 0;
    expect(claims()).toEqual([]);
  }
  expect(settled / 2_000).toBeGreaterThan(0.035);
  expect(settled / 2_000).toBeLessThan(0.065);
});

test("A31: keys behind one network have one place together, and none where the sender is of it", () => {
  const sybils = Array.from({ length: 50 }, (_, i) => ({ name: `s${i}`, network: "one" }));
  const alone = crowd(sybils);
  expect(alone.shared.begin(id("a"), SENDER, 0), "three Sybils of one network").toBe(false);
  const mixed = crowd([...sybils, ...several(3)]);
  let places = 0;
  for (let n = 0; n < 40; n++) {
    const { shared, claims } = crowd([...sybils, ...several(5)], false, n);
    expect(shared.begin(id("a"), SENDER, 0)).toBe(true);
    const mine = claims().filter((name) => name.startsWith("s")).length;
    expect(mine).toBeLessThanOrEqual(1);
    places += mine;
  }
  // Drawn by network: fifty keys are one of six, and would be fifty of 55 by key.
  expect(places / 40).toBeLessThan(0.75);
  expect(mixed.shared.begin(id("a"), { ...SENDER, network: "one" }, 0)).toBe(true);
  expect(mixed.claims().some((name) => name.startsWith("s"))).toBe(false);
});

test("A31: one place of three at most is a newcomer's; control: enough of the trusted fill all", () => {
  const newcomers = several(20).map((one) => ({ ...one, newcomer: true as const }));
  expect(crowd(newcomers).shared.begin(id("a"), SENDER, 0)).toBe(false);
  expect(crowd([...newcomers, ...several(1, 20)]).shared.begin(id("a"), SENDER, 0)).toBe(false);
  const { shared, claims } = crowd([...newcomers, ...several(2, 20)]);
  expect(shared.begin(id("a"), SENDER, 0)).toBe(true);
  expect(claims().filter((name) => name === "v20" || name === "v21")).toHaveLength(2);
  expect(crowd(several(3)).shared.begin(id("a"), SENDER, 0), "the control").toBe(true);
});

test("A31: the sender audits nothing of its own, however often it asks", () => {
  for (let n = 0; n < 30; n++) {
    const { shared, claims } = crowd(several(4), false, n);
    shared.begin(id("a"), { volunteer: key("v0"), network: "elsewhere" }, 0);
    expect(claims()).not.toContain("v0");
  }
});

test("A31: who only asks for work is given one audit, and the next after a delta", () => {
  const { shared, auditors, claims } = crowd(several(3));
  const round = (name: string) => {
    const begun = shared.begin(id(name), SENDER, 0);
    const drawn = claims();
    for (const one of drawn) shared.answer(id(name), key(one), TRUE, 1);
    if (begun) shared.decide(id(name), TRUE);
    return begun;
  };
  expect(round("a")).toBe(true);
  expect(round("b")).toBe(false);
  for (const { name } of several(3)) auditors.worked(key(name));
  expect(round("c")).toBe(true);
});

test("A31: an auditor that never answers is replaced, and its answer then comes too late", async () => {
  const { shared, claims, auditors } = crowd(several(5));
  shared.begin(id("a"), SENDER, 0);
  const [silent, ...prompt] = claims();
  for (const name of prompt) shared.answer(id("a"), key(name), TRUE, 1);
  expect(shared.expire(ANSWER_MS)).toEqual([]);
  expect(claims(ANSWER_MS), "the control: its time is not over").toEqual([]);
  for (const { name } of several(5)) auditors.asked(key(name), name, ANSWER_MS + 1);
  expect(shared.expire(ANSWER_MS + 1)).toEqual([]);
  const [next, ...more] = claims(ANSWER_MS + 1);
  expect(more).toEqual([]);
  expect([silent, ...prompt]).not.toContain(next);
  expect(await codeOf(() => shared.answer(id("a"), key(silent!), TRUE, ANSWER_MS + 2))).toBe("audit-over");
  expect(shared.answer(id("a"), key(next!), TRUE, ANSWER_MS + 2)).toEqual({ agreed: TRUE, settle: false });
});

test("A31: one that is drawn and does not ask for work is replaced", () => {
  const { shared, claims, auditors } = crowd(several(6));
  shared.begin(id("a"), SENDER, 0);
  for (const { name } of several(6)) auditors.asked(key(name), name, 40_000);
  shared.expire(40_000);
  expect(claims(40_000)).toHaveLength(3);
});

test("AU6: an audit that nobody finishes is the server's, which pays those that were right", () => {
  const { shared, claims } = crowd(several(3));
  shared.begin(id("a"), SENDER, 0);
  const [first, second] = claims();
  shared.answer(id("a"), key(first!), TRUE, 1);
  shared.answer(id("a"), key(second!), LIE, 1);
  expect(shared.expire(180_000)).toEqual([]);
  expect(shared.expire(180_001)).toEqual([id("a")]);
  expect(shared.expire(180_002), "once").toEqual([]);
  expect(decided(shared)).toEqual({ right: [key(first!)], wrong: [key(second!)] });
});

test("AU7: an answer for another's audit, a second one, and one for no audit are refused, each with its code", async () => {
  const { shared, claims, keys } = crowd(several(6));
  shared.begin(id("a"), SENDER, 0);
  const drawn = claims();
  const other = keys.find((one) => !drawn.map(key).includes(one))!;
  expect(await codeOf(() => shared.answer(id("a"), other, TRUE, 1))).toBe("not-your-audit");
  expect(await codeOf(() => shared.answer(id("b"), key(drawn[0]!), TRUE, 1))).toBe("audit-over");
  shared.answer(id("a"), key(drawn[0]!), TRUE, 1);
  expect(await codeOf(() => shared.answer(id("a"), key(drawn[0]!), LIE, 1))).toBe("audit-answered");
  expect(await codeOf(() => shared.answer(id("a"), key(drawn[1]!), TRUE, ANSWER_MS + 1))).toBe("audit-over");
});

test("AU7: an auditor that was drawn and has not asked yet answers nothing", async () => {
  const { shared, keys } = crowd(several(3));
  shared.begin(id("a"), SENDER, 0);
  for (const one of keys) {
    expect(await codeOf(() => shared.answer(id("a"), one, TRUE, 1))).toBe("not-your-audit");
  }
});
