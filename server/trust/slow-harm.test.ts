import { expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { type Harm, isNone, isShown, NO_HARM, SHOWN, scoreOf, withScore } from "./slow-harm.ts";
import { addStrike, NO_TRUST, seen, standingOf, type Trust, weighed } from "./standing.ts";
import { upTo } from "./usual.ts";

/** Scores around `mean`, up and down by at most `spread`: by as much as one version's text makes them differ. */
const around = (mean: number, spread: number, random: Random) => () =>
  mean + spread * (2 * random.unit() - 1);

/** Measured deltas until harm is shown, or undefined where it never is. */
function shownAfter(score: () => number, most: number): number | undefined {
  let harm: Harm = NO_HARM;
  for (let n = 1; n <= most; n++) {
    harm = withScore(harm, score());
    if (isShown(harm)) return n;
  }
  return undefined;
}

/** How soon harm was shown in many lives of so many measured deltas each. */
function lives(count: number, mean: number, spread: number, most: number) {
  const random = new Random(7);
  const found = Array.from({ length: count }, () => shownAfter(around(mean, spread, random), most));
  return found.map((at) => at ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
}

test("A14: somebody whose deltas do neither good nor harm is blamed after 100 measured ones on average at the soonest", () => {
  const blamed = lives(100, 0, 1, 5_000);
  const mean = blamed.reduce((sum, at) => sum + Math.min(at, 5_000), 0) / blamed.length;
  expect(mean).toBeGreaterThan(SHOWN);
});

test("A14: nobody is blamed in 1,000 measured deltas whose good is a third of what chance makes of them", () => {
  expect(lives(100, 0.2, 0.6, 1_000)[0]).toBe(Number.POSITIVE_INFINITY);
});

test("A14: who does as much harm as others do good is found in 60 measured deltas with 95% certainty", () => {
  const found = lives(200, -0.35, 0.6, 1_000);
  expect(found[190]).toBeLessThan(60);
});

test("A14: a sleeper that was good for 1,000 deltas is found as soon as anybody else; a plain sum, the control, never finds it", () => {
  const random = new Random(3);
  let [harm, sum]: [Harm, number] = [NO_HARM, 0];
  const live = (score: number) => {
    harm = withScore(harm, score);
    sum += score;
  };
  for (let n = 0; n < 1_000; n++) live(around(0.2, 0.6, random)());
  let turned = 0;
  for (; !isShown(harm) && turned < 1_000; turned++) live(around(-0.3, 0.6, random)());
  expect(turned).toBeLessThan(60);
  expect(sum).toBeGreaterThan(0);
});

test("A14: where the usual delta raises the loss on gate text, only what raises it further counts as harm", () => {
  const badForAll = Array.from({ length: 32 }, (_, i) => -1 - 0.01 * i);
  const good = badForAll.map((effect) => -effect);
  expect(scoreOf(-1.1, badForAll, [1])).toBeGreaterThan(-0.06);
  expect(scoreOf(-1.1, good, [-1, -1.1, -1.2])).toBeGreaterThan(-0.06); // gone astray in this version
  expect(scoreOf(-3.5, badForAll, [1])).toBeLessThan(-0.5);
  expect(scoreOf(-1.1, good, [1, -1.1, 1])).toBeLessThan(-0.3); // the control: the same harm where others do good
  expect(scoreOf(-1_000, good, [1])).toBe(-1);
  expect(scoreOf(-1, good.slice(0, 15), [1])).toBeUndefined();
});

const NAMES = ["honest", "other", "mole"].map((name) => name.padEnd(43, "0") as VolunteerKey);
const ticket = (n: number) => `${n}`.padStart(22, "0") as TicketId;

/** A trust after so many versions, in each of which all three have a delta, of these effects. */
function lived(versions: number, effects: readonly number[], from = 0, before: Trust = NO_TRUST): Trust {
  let trust = before;
  for (let version = from + 1; version <= from + versions; version++) {
    const of = NAMES.map((volunteer, i) => ({
      volunteer,
      ticket: ticket(10 * version + i),
      effect: effects[i]!,
    }));
    for (const one of of) trust = seen(trust, one.volunteer, one.ticket);
    trust = weighed(trust, version, of);
  }
  return trust;
}

test("A14: evidence is kept by volunteer, together with the newest deltas since it began, and ends with a strike", () => {
  const [honest, , mole] = NAMES as [VolunteerKey, VolunteerKey, VolunteerKey];
  const trust = lived(40, [1, 2, -1]);
  expect(isNone(standingOf(trust, honest).harm!)).toBe(true);
  expect(standingOf(trust, honest).doubted).toEqual([]);
  expect(isShown(standingOf(trust, mole).harm!)).toBe(true);
  expect(standingOf(trust, mole).doubted?.at(-1)).toBe(ticket(402));
  expect(standingOf(trust, mole).doubted?.length).toBe(32);
  const struck = standingOf(addStrike(trust, mole, 0), mole);
  expect(struck).toMatchObject({ harm: NO_HARM, doubted: [], strikes: 1 });
});

test("A25: a roll-back takes back what effects were usual since", () => {
  const trust = lived(4, [-1, -2, -9], 8, lived(8, [1, 2, 1]));
  expect(trust.usual.effects?.at(-1)).toEqual({ version: 12, value: -9 });
  const [volunteer] = NAMES as [VolunteerKey];
  const measured = [{ volunteer, ticket: ticket(1), effect: -5 }];
  expect(weighed(trust, 12, measured, true).usual).toBe(trust.usual); // measured only after it was taken back
  expect(weighed(trust, 12, measured).usual).not.toBe(trust.usual);
  expect(upTo(trust.usual, 8).effects?.at(-1)).toEqual({ version: 8, value: 1 });
});
