import type { Random } from "../../model/lib/random.ts";
import type { Standing } from "../../server/trust/standing.ts";

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
  readonly random: Random;
}

export interface Attack {
  /** Free riders want credit, not harm. */
  readonly rides: boolean;
  /** Whether it trains at all, and on which tokens. */
  readonly trains: "truly" | "flipped" | "once" | false;
  /** Whether one of that standing comes again under a new key; absent: never. */
  readonly rejoins?: (standing: Standing) => boolean;
  make(known: Knowledge): Float32Array;
}

const scaled = (factor: number, values: Float32Array) => values.map((value) => factor * value);

/** ALIE's z (Baruch et al. 1902.06156): large enough to matter, small enough to lie among the honest. */
const ALIE_Z = 1;
/** Deltas that a turncoat sends before it turns: enough to pass its probation and to be audited seldom. */
const HONEST_FIRST = 12;
/** Deltas after which a sleeper begins again, and how many of them, the last, have their sign flipped. */
const SLEEP = 16;
const BURST = 4;
/** The Gaussian attack's deviation, in those of an honest delta. */
const GAUSSIAN = 30;

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

export const ATTACKS = {
  "sign flip ×1": poison(({ own }) => scaled(-1, own!), "truly"),
  "sign flip ×1000": poison(({ own }) => scaled(-1000, own!), "truly"),
  "scaling ×100": poison(({ own }) => scaled(100, own!), "truly"),
  gaussian: poison(({ honest, random }) =>
    noise(GAUSSIAN * deviation(honest[0]!), honest[0]!.length, random),
  ),
  "inner product ε 0.1": poison(({ honest }) => scaled(-0.1, meanOf(honest))),
  "inner product ε 0.6": poison(({ honest }) => scaled(-0.6, meanOf(honest))),
  ALIE: poison(({ honest }) => alie(honest)),
  turncoat: poison(({ own, sent }) => scaled(sent < HONEST_FIRST ? 1 : -1, own!), "truly"),
  sleeper: poison(({ own, sent }) => scaled(sent % SLEEP < SLEEP - BURST ? 1 : -1, own!), "truly"),
  "rejoining flips": {
    ...poison(({ own }) => scaled(-1, own!), "truly"),
    rejoins: ({ strikes }) => strikes > 0,
  },
  "new-key garbage": {
    ...poison(({ honest, random }) => noise(deviation(honest[0]!), honest[0]!.length, random)),
    rejoins: () => true,
  },
  "label flip": poison(({ own }) => own!, "flipped"),
  zeros: rider(({ honest }) => new Float32Array(honest[0]!.length)),
  noise: rider(({ honest, random }) => noise(deviation(honest[0]!), honest[0]!.length, random)),
  copies: rider(({ honest, random }) => honest[random.below(honest.length)]!),
  "scaled copies": rider(({ honest, random }) => scaled(1.03, honest[random.below(honest.length)]!)),
  sybils: { ...poison(({ own }) => own!, "truly"), rejoins: () => true },
  "previous delta": rider(({ first }) => first!, "once"),
} as const satisfies Record<string, Attack>;

export type AttackName = keyof typeof ATTACKS;
export const ATTACK_NAMES = Object.keys(ATTACKS) as AttackName[];

/** Every second token becomes its opposite: half of all targets are flipped labels of true text. */
export const flipped = (tokens: Uint16Array): Uint16Array =>
  tokens.map((token, i) => (i % 2 === 0 ? token : 255 - token));

function meanOf(deltas: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(deltas[0]!.length);
  for (const delta of deltas) for (let i = 0; i < sum.length; i++) sum[i]! += delta[i]! / deltas.length;
  return sum;
}

/** Mean − z deviations in every coordinate, on the side that harms. */
function alie(honest: readonly Float32Array[]): Float32Array {
  const mean = meanOf(honest);
  return mean.map((center, i) => {
    let squares = 0;
    for (const delta of honest) squares += (delta[i]! - center) ** 2;
    const deviationOf = Math.sqrt(squares / honest.length);
    return center - Math.sign(center) * ALIE_Z * deviationOf;
  });
}

function deviation(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares / values.length);
}

/** Gaussian, by the sum of twelve uniform numbers. */
function noise(sigma: number, length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.unit();
    return sigma * sum;
  });
}
