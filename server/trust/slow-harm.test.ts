import { expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { partsOf } from "./parts.ts";
import {
  type Harm,
  isNone,
  isShown,
  isShownInParts,
  NO_HARM,
  SHOWN,
  SHOWN_IN_PARTS,
  scorer,
  withScore,
  withScores,
} from "./slow-harm.ts";
import {
  addStrike,
  doesHarm,
  isSuspected,
  NO_TRUST,
  seen,
  standingOf,
  type Trust,
  weighed,
} from "./standing.ts";
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

const scoreOf = (effect: number, late: readonly number[], here: readonly number[]) =>
  scorer(late, here)?.(effect);
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

/** Deltas of 16 parts that do good, but one of whose parts does `harm`: until that is shown in the parts, and in the whole. */
function shownInParts(harm: number, most: number) {
  const random = new Random(11);
  let [parts, whole]: [readonly Harm[], Harm] = [[], NO_HARM];
  let [inParts, inWhole]: (number | undefined)[] = [];
  for (let n = 1; n <= most; n++) {
    const scores = Array.from({ length: 16 }, (_, part) => around(part === 3 ? harm : 0.25, 0.7, random)());
    parts = withScores(parts, scores);
    whole = withScore(whole, scores.reduce((sum, score) => sum + score, 0) / scores.length);
    if (isShownInParts(parts)) inParts ??= n;
    if (isShown(whole)) inWhole ??= n;
  }
  return { inParts, inWhole };
}

test("A33: harm that one part of sixteen does is found within 40 measured deltas, though the rest does good; by the whole alone, the control, never", () => {
  const { inParts, inWhole } = shownInParts(-0.5, 1_000);
  expect(inParts).toBeLessThan(40);
  expect(inWhole).toBeUndefined();
  expect(shownInParts(0.25, 5_000)).toEqual({}); // honest
});

test("A33: who harms one part is suspected long before it is blamed, and nobody honest is for long", () => {
  const [honest, , mole] = NAMES as [VolunteerKey, VolunteerKey, VolunteerKey];
  let trust: Trust = NO_TRUST;
  let suspected = 0;
  for (let version = 1; !doesHarm(standingOf(trust, mole)); version++) {
    const of = NAMES.map((volunteer, i) => ({
      ...{ volunteer, ticket: ticket(10 * version + i), effect: 2 },
      parts: volunteer === mole ? [3, -1] : [1, 1],
    }));
    trust = weighed(trust, version, of);
    suspected += isSuspected(standingOf(trust, mole)) ? 1 : 0;
    expect(isSuspected(standingOf(trust, honest))).toBe(false);
    expect(version).toBeLessThan(40);
  }
  expect(suspected).toBeGreaterThan(3);
});

test("A33: who does neither good nor harm in any part is blamed after 50 measured deltas on average at the soonest", () => {
  const random = new Random(5);
  const lives = Array.from({ length: 100 }, () => {
    let harms: readonly Harm[] = [];
    for (let n = 1; n <= 1_000; n++) {
      harms = withScores(harms, Array.from({ length: 16 }, around(0, 1, random)));
      if (isShownInParts(harms)) return n;
    }
    return 1_000;
  });
  expect(lives.reduce((sum, n) => sum + n, 0) / lives.length).toBeGreaterThan(SHOWN_IN_PARTS);
});

test("A33: a volunteer's harm in one part is kept with it, has it blamed, and ends with a strike; an older journal names none", () => {
  const [honest, , mole] = NAMES as [VolunteerKey, VolunteerKey, VolunteerKey];
  let [trust, older]: Trust[] = [NO_TRUST, NO_TRUST];
  for (let version = 1; version <= 40; version++) {
    const of = NAMES.map((volunteer, i) => ({
      ...{ volunteer, ticket: ticket(10 * version + i), effect: 2 },
      parts: volunteer === mole ? [3, -1] : [1, 1],
    }));
    trust = weighed(trust!, version, of);
    older = weighed(
      older!,
      version,
      of.map(({ parts: _, ...whole }) => whole),
    );
  }
  expect(NAMES.map((name) => doesHarm(standingOf(trust!, name)))).toEqual([false, false, true]);
  expect(NAMES.map((name) => doesHarm(standingOf(older!, name)))).toEqual([false, false, false]);
  expect(standingOf(trust!, honest).harmInParts).toEqual([]);
  expect(doesHarm(standingOf(addStrike(trust!, mole, 0), mole))).toBe(false);
  expect(upTo(trust!.usual, 0).parts).toEqual([]);
});

test("A33: the parts of a model are its tensors, or 32 groups of neighbours, and leave no value out", () => {
  const tensors = Array.from({ length: 100 }, (_, i) => ({ offset: 7 * i, length: 7 }));
  for (const count of [1, 16, 32, 33, 100]) {
    const parts = partsOf(tensors.slice(0, count), 7 * count);
    expect(parts.length).toBe(Math.min(32, count));
    let end = 0;
    for (const { offset, length } of parts) {
      expect(offset).toBe(end);
      expect(length).toBeGreaterThan(0);
      end += length;
    }
    expect(end).toBe(7 * count);
  }
  expect(partsOf([], 10)).toEqual([{ offset: 0, length: 10 }]);
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
