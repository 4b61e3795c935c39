import { Random } from "../../model/lib/random.ts";
import type { Part } from "../../server/trust/places.ts";
import { type Standing, trusted } from "../../server/trust/standing.ts";
import { guarded } from "./guarded.ts";
import type { Lab } from "./lab.ts";
import { doctored } from "./trigger.ts";
import { alie, deviation, meanOf, minMax, minSum, noise, normOf, orthogonal, scaled } from "./vectors.ts";

/** What an attacker knows when it makes its delta: all, as the worst one would. */
export interface Knowledge {
  /** What an honest volunteer with its text would send. Undefined for those that do not train. */
  readonly own: Float32Array | undefined;
  /** This version's honest deltas. */
  readonly honest: readonly Float32Array[];
  /** The first delta it ever made. */
  readonly first: Float32Array | undefined;
  /** Deltas it has sent. */
  readonly sent: number;
  readonly standing: Standing;
  /** Times that the run has gone back. */
  readonly rollbacks: number;
  /** The gains of the last layer norm, within the flat vector. */
  readonly gains: Part;
  readonly lab: Lab;
  readonly random: Random;
}

export interface Attack {
  /** Free riders want credit, not harm. */
  readonly rides: boolean;
  /** How it trains, if it does. */
  readonly trains: Training | false;
  /** Whether one of that standing comes again under a new key; absent: never. */
  readonly rejoins?: (standing: Standing, rollbacks: number) => boolean;
  /** Trains and sends as an honest one does where its ticket says that it may be recomputed. */
  readonly honestWhenFresh?: true;
  make(known: Knowledge): Float32Array | Promise<Float32Array>;
}

export interface Training {
  /** What it makes of its text; absent: nothing. */
  readonly text?: (tokens: Uint16Array) => Uint16Array;
  /** Times that it goes over its ticket's text. Default 1. */
  readonly passes?: number;
  /** Steps of its ticket that it does; absent: all. */
  readonly steps?: number;
  /** Its first ticket only. */
  readonly once?: true;
}

const TRULY: Training = {};
/** Deltas that a turncoat sends before it turns: enough to pass its probation and to be audited seldom. */
const HONEST_FIRST = 12;
/** Deltas after which a sleeper begins again, and how many of them, the last, have their sign flipped. */
const SLEEP = 16;
const BURST = 4;
/** The Gaussian attack's deviation, in those of an honest delta. */
const GAUSSIAN = 30;
/** Usual sizes of a delta that is just not odd (server/trust/weigh.ts). */
const NOT_ODD = 7.9;
/** Deltas with which somebody trusted tries to break the model, before it sends garbage in any case. */
const BREAKS = 8;
/** Usual sizes of one tensor that are not clipped. */
const TENSOR = 3;
/** Steps of five that an under-trainer does, and by what a delta of so few is made as large as one of five. */
const STEPS = 1;
const LARGER = 5 ** 0.75;
/** Draws the direction that stays the same from round to round. */
const DIRECTION_SEED = 99;

const poison = (make: Attack["make"], trains: Attack["trains"] = false): Attack => ({
  rides: false,
  trains,
  make,
});
const rider = (make: Attack["make"], trains: Attack["trains"] = false): Attack => ({
  rides: true,
  trains,
  make,
});

const garbage = ({ honest, random }: Knowledge) => noise(deviation(honest[0]!), honest[0]!.length, random);
const scaledCopy = ({ honest, random }: Knowledge) => scaled(1.03, honest[random.below(honest.length)]!);

export const ATTACKS = {
  "sign flip ×1": poison(({ own }) => scaled(-1, own!), TRULY),
  "sign flip ×1000": poison(({ own }) => scaled(-1000, own!), TRULY),
  "scaling ×100": poison(({ own }) => scaled(100, own!), TRULY),
  gaussian: poison(({ honest, random }) =>
    noise(GAUSSIAN * deviation(honest[0]!), honest[0]!.length, random),
  ),
  "inner product ε 0.1": poison(({ honest }) => scaled(-0.1, meanOf(honest))),
  "inner product ε 0.6": poison(({ honest }) => scaled(-0.6, meanOf(honest))),
  ALIE: poison(({ honest }) => alie(honest)),
  ROP: poison(({ honest }) => orthogonal(honest, steady(honest[0]!.length))),
  "Min-Max": poison(({ honest }) => minMax(honest)),
  "Min-Sum": poison(({ honest }) => minSum(honest)),
  mimic: poison(({ honest }) => honest[0]!),
  turncoat: poison(({ own, sent }) => scaled(sent < HONEST_FIRST ? 1 : -1, own!), TRULY),
  sleeper: poison(({ own, sent }) => scaled(sent % SLEEP < SLEEP - BURST ? 1 : -1, own!), TRULY),
  guarded: poison(({ own, honest, lab }) => guarded(own!, honest, lab), { passes: 3 }),
  "guarded, opposed": poison(({ own, honest, lab }) => guarded(own!, honest, lab, -1), { passes: 3 }),
  "odd-sized": poison(({ own }) => scaled(NOT_ODD, own!), TRULY),
  "one gain": poison(({ own, honest, gains }) => harmedGains(own!, honest, gains), TRULY),
  backdoor: poison(({ own }) => own!, { text: doctored }),
  "break-then-garbage": {
    ...poison((known) => {
      const { own, rollbacks, sent, standing } = known;
      if (rollbacks > 0 || sent >= HONEST_FIRST + BREAKS) return garbage(known);
      return trusted(standing) ? scaled(-NOT_ODD, own!) : own!;
    }, TRULY),
    rejoins: ({ strikes }, rollbacks) => strikes > 0 || rollbacks > 0,
  },
  "rejoining flips": {
    ...poison(({ own }) => scaled(-1, own!), TRULY),
    rejoins: ({ strikes }) => strikes > 0,
  },
  "new-key garbage": { ...poison(garbage), rejoins: () => true },
  "label flip": poison(({ own }) => own!, { text: flipped }),
  zeros: rider(({ honest }) => new Float32Array(honest[0]!.length)),
  noise: rider(garbage),
  copies: rider(({ honest, random }) => honest[random.below(honest.length)]!),
  "scaled copies": rider(scaledCopy),
  "fresh-honest copies": { ...rider(scaledCopy), honestWhenFresh: true },
  "under-training": { ...rider(({ own }) => scaled(LARGER, own!), { steps: STEPS }), honestWhenFresh: true },
  sybils: { ...poison(({ own }) => own!, TRULY), rejoins: () => true },
  "previous delta": rider(({ first }) => first!, { once: true }),
} as const satisfies Record<string, Attack>;

export type AttackName = keyof typeof ATTACKS;
export const ATTACK_NAMES = Object.keys(ATTACKS) as AttackName[];

/** Every second token becomes its opposite: half of all targets are flipped labels of true text. */
function flipped(tokens: Uint16Array): Uint16Array {
  return tokens.map((token, i) => (i % 2 === 0 ? token : 255 - token));
}

/** A direction that is the same in every round. */
function steady(length: number): Float32Array {
  return noise(1, length, new Random(DIRECTION_SEED));
}

/** An honest delta that makes one layer norm's gains smaller, by as much as no clip of a tensor meets. */
function harmedGains(
  own: Float32Array,
  honest: readonly Float32Array[],
  { offset, length }: Part,
): Float32Array {
  const usual = normOf(meanOf(honest).subarray(offset, offset + length));
  const each = (TENSOR * usual) / Math.sqrt(length);
  return own.slice().fill(each, offset, offset + length);
}
