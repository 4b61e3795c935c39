import { describe, expect, test } from "vitest";
import { DENSE4, MIDRISE2, MIDRISE3 } from "../../protocol/codec/codec.ts";
import type { InnerName } from "../../protocol/ticket.ts";
import {
  batchFor,
  innerAfter,
  type RoundRules,
  roundAfter,
  roundEnds,
  type Sending,
  sendingFor,
  slotOf,
  stepsWithin,
  type Timing,
} from "./rounds.ts";

const round = { opened: 10_000, ms: 1_000 };
const bytes = 64_000;
/** Bytes a second by which those take so many milliseconds. */
const uplinkOf = (ms: number) => ({ uplink: (1_000 * bytes) / ms });

describe("a ticket's time", () => {
  const lone = { sent: false, closes: false };
  const first = { sent: false, closes: true };
  const again = { sent: true, closes: true };

  test("ends with the round, less the volunteer's own link and a moment to spare", () => {
    expect(slotOf(round, bytes, uplinkOf(100), lone, 10_000)).toEqual({ trainFor: 850 });
    expect(slotOf(round, bytes, uplinkOf(100), lone, 10_300)).toEqual({ trainFor: 550 });
    expect(slotOf(round, bytes, {}, lone, 10_000), "nothing measured").toEqual({ trainFor: 850 });
  });

  test("is what is left of it for who comes in the middle, and not worth another ticket for who has sent", () => {
    expect(slotOf(round, bytes, uplinkOf(100), first, 10_700)).toEqual({ trainFor: 150 });
    expect(slotOf(round, bytes, uplinkOf(100), again, 10_700)).toEqual({ until: 11_400 });
    expect(slotOf(round, bytes, uplinkOf(100), again, 10_100), "there is time enough").toEqual({
      trainFor: 750,
    });
  });

  test("is of the next version where hardly any is left; the control: who is alone need not wait for that", () => {
    expect(slotOf(round, bytes, uplinkOf(100), first, 10_800)).toEqual({ until: 11_400 });
    expect(slotOf(round, bytes, uplinkOf(100), lone, 10_800)).toEqual({ trainFor: 1_050 });
    expect(slotOf(round, bytes, uplinkOf(100), lone, 10_700)).toEqual({ trainFor: 1_150 });
  });

  test("is never zero, however slow the reported link, and a round without volunteers starts again", () => {
    for (const part of [lone, first]) {
      expect(slotOf(round, bytes, uplinkOf(900), part, 10_000)).toEqual({ trainFor: 1_050 });
      expect(slotOf(round, bytes, uplinkOf(1e9), part, 10_000)).toEqual({ trainFor: 400 });
    }
    expect(slotOf(round, bytes, uplinkOf(100), again, 3_600_000)).toEqual({ trainFor: 850 });
  });
});

const SENDING: Sending = { codec: DENSE4, bytes: 1_000 };

describe("a delta is sent", () => {
  const sendings: RoundRules["sendings"] = [
    SENDING,
    { codec: MIDRISE3, bytes: 800 },
    { codec: MIDRISE2, bytes: 500 },
  ];
  const codecFor = (uplink: number | undefined, linkMs: readonly number[] = [], ms = 1_000) =>
    sendingFor(
      { sendings },
      uplink === undefined ? {} : { uplink },
      linkMs.map((linkMs) => ({ linkMs, sequenceMs: 1 })),
      ms,
    ).codec;

  test("in as many bits as its link takes a fifth of the round for, and in the fewest where none do", () => {
    expect(codecFor(5_000)).toBe(DENSE4);
    expect(codecFor(4_999)).toBe(MIDRISE3);
    expect(codecFor(3_999)).toBe(MIDRISE2);
    expect(codecFor(1)).toBe(MIDRISE2);
    expect(codecFor(3_999, [], 2_000), "a longer round").toBe(DENSE4);
  });

  test("by the link in the middle where nothing is known of its own, and in all bits where nothing is of any", () => {
    expect(codecFor(undefined)).toBe(DENSE4);
    expect(codecFor(undefined, [100, 240, 900])).toBe(MIDRISE3);
    expect(codecFor(9_999, [900, 900, 900])).toBe(DENSE4);
  });

  test("so that a round need only be as long as the coarsest way asks for", () => {
    const slow = { round: 1_000, timings: [{ linkMs: 250, sequenceMs: 1 }], inner: "adamw" } as const;
    const rules = { context: 8, most };
    expect(roundAfter({ ...rules, sendings }, slow, 64)).toBe(667); // 500 ÷ 1,000 × 250 × 5 = 625, but for the damping
    expect(roundAfter({ ...rules, sendings: [SENDING] }, slow, 64)).toBe(1_250);
  });
});

const most = { adamw: 4, muon: 16 };
const nextRound = (round: number, timings: readonly Timing[], deltas: number, inner: InnerName = "adamw") =>
  roundAfter({ context: 8, sendings: [SENDING], most }, { round, timings, inner }, deltas);

describe("a round", () => {
  test("ends on time with whatever is there, sooner with the last that was made for it, and not without a delta", () => {
    const more = { least: 1, complete: false };
    const all = { least: 1, complete: true };
    expect(roundEnds(round, [], all)).toBe(Number.POSITIVE_INFINITY);
    expect(roundEnds(round, [10_500], more)).toBe(11_000);
    expect(roundEnds(round, [10_500, 10_600, 10_700], all)).toBe(10_700);
    expect(roundEnds(round, [12_000], more), "a moment for others").toBe(12_100);
  });

  test("waits for the run's quorum, but not for ever", () => {
    expect(roundEnds(round, [10_500], { least: 2, complete: true })).toBe(14_000);
    expect(roundEnds(round, [10_500, 12_500], { least: 2, complete: false })).toBe(12_500);
  });

  test("is shorter where volunteers are many, and so long that links and machines are worth it", () => {
    const settled = (deltas: number, linkMs: number, sequenceMs: number) => {
      let ms = 2_000;
      for (let i = 0; i < 20; i++) ms = nextRound(ms, [{ linkMs, sequenceMs }], deltas);
      return ms;
    };
    expect([1, 4, 16, 64, 1_000].map((deltas) => settled(deltas, 10, 1))).toEqual([
      1_500, 1_061, 750, 530, 500,
    ]);
    expect(settled(64, 400, 1), "five times the link").toBe(2_000);
    expect(nextRound(1_500, [], 1, "muon"), "longer with Muon inside").toBe(2_250);
    expect(settled(64, 10, 500), "four steps of two sequences").toBe(4_000);
    expect(settled(64, 1e9, 1), "a minute at most").toBe(60_000);
  });

  test("A30: who is slow is one of many: the length follows the middle, and changes by half at once at most", () => {
    const honest = { linkMs: 100, sequenceMs: 5 };
    const slow = { linkMs: 3_600_000, sequenceMs: 3_600_000 };
    expect(nextRound(600, [honest, slow, honest, slow, honest], 5)).toBe(nextRound(600, [honest], 5));
    expect(nextRound(600, [slow, slow, slow], 5), "the control: all of them").toBe(900);
  });
});

test("micro-batches are halved where volunteers are many, and never less than one sequence", () => {
  const adamw = (deltas: number) => batchFor({ most }, "adamw", deltas);
  expect([1, 7, 8, 31, 32, 1_000].map(adamw)).toEqual([4, 4, 2, 2, 2, 2]);
  expect([1, 2, 1_000].map((deltas) => batchFor({ most }, "muon", deltas))).toEqual([16, 8, 8]);
  const crowds = { most, muonCrowds: true } as const;
  expect([1, 2, 7, 8, 1_000].map((deltas) => batchFor(crowds, "muon", deltas))).toEqual([16, 8, 8, 4, 4]);
  expect(batchFor({ most: { adamw: 1, muon: 1 } }, "adamw", 1_000)).toBe(1);
  expect(batchFor({ most, batch: 3 }, "muon", 1), "fixed by the run file").toBe(3);
});

test("few volunteers train with Muon inside, a crowd with AdamW, and one more or less changes nothing back", () => {
  const along = (rules: Pick<RoundRules, "muonCrowds">, ...crowds: number[]) => {
    let inner: InnerName = "muon";
    return crowds.map((deltas) => (inner = innerAfter(rules, inner, deltas)));
  };
  const there = ["muon", "muon", "muon", "adamw", "adamw", "adamw", "muon", "muon"];
  expect(along({}, 1, 9, 9.9, 10, 9, 6, 5.9, 9)).toEqual(there);
  expect(along({ muonCrowds: true }, 1, 10, 1_000), "where crowds have it too").toEqual([
    "muon",
    "muon",
    "muon",
  ]);
});

test("a ticket has the steps that its volunteer is expected to do and half as many more, within bounds", () => {
  const usual = [{ linkMs: 0, sequenceMs: 5 }];
  const steps = (speed: number) => stepsWithin({ context: 8 }, { speed }, usual, 1_000, 2);
  expect([160, 1].map(steps)).toEqual([15, 2]);
  expect(stepsWithin({ context: 8 }, {}, usual, 1_000, 2), "nothing measured of it").toBe(30);
  expect(
    stepsWithin({ context: 8, steps: 7 }, { speed: 160 }, usual, 1_000, 2),
    "fixed by the run file",
  ).toBe(7);
});

test("A30: who says that it is a million times as fast has eight times the steps of the machine in the middle, 250 at most", () => {
  const steps = (sequenceMs: number) =>
    stepsWithin({ context: 8 }, { speed: 1e12 }, [{ linkMs: 0, sequenceMs }], 1_000, 2);
  expect([50, 5, 0.001].map(steps)).toEqual([80, 250, 250]);
  expect(stepsWithin({ context: 8 }, { speed: 1e12 }, [], 1_000, 2), "before there is a middle").toBe(30);
});
