import type { Random } from "../../model/lib/random.ts";

/** How a volunteer's machine and link are. */
export interface Machine {
  /** Floating-point operations a millisecond, in training; step-time.ts says what a step has. */
  readonly flopsPerMs: number;
  /** Bits a millisecond. */
  readonly up: number;
  readonly down: number;
  /** Milliseconds from a request to the first byte of its answer. */
  readonly latency: number;
}

export interface Scenario {
  readonly volunteers: number;
  /** Draws a volunteer's machine. */
  machine(random: Random): Machine;
  /** Part of all deltas that come 1 to 3 versions late. */
  readonly late: number;
  /** Part of all rounds that a volunteer leaves unfinished, to come back later, half of them as newcomers. */
  readonly leaves: number;
  /** Part of all deltas that are lost on the way, without an answer. */
  readonly lost: number;
}

/** What a modest laptop spares of its processor: a step of model S, 4 sequences, in 99 ms. */
const LAPTOP = 2.1e6;
const MBIT = 1_000;

export const homogeneous = (): Machine => ({
  flopsPerMs: LAPTOP,
  up: 20 * MBIT,
  down: 80 * MBIT,
  latency: 40,
});

/** From a phone to a fast laptop, a factor of ten, and uplinks of 1 to 20 Mbit/s: both evenly by their logarithm. */
const drawn = (random: Random): Machine => {
  const up = 20 ** random.unit() * MBIT;
  return {
    flopsPerMs: 0.3 * LAPTOP * 10 ** random.unit(),
    up,
    down: 4 * up,
    latency: 20 + 60 * random.unit(),
  };
};

const CHURN = { machine: drawn, late: 0.2, leaves: 0.2, lost: 0 };
const CALM = { machine: homogeneous, late: 0, leaves: 0, lost: 0 };

export const SCENARIOS = {
  homogeneous: { volunteers: 8, ...CALM },
  churn: { volunteers: 8, ...CHURN },
  /** Churn, with the codec that large models get. */
  sparse: { volunteers: 8, ...CHURN },
  fifty: { volunteers: 50, ...CHURN },
  dropped: { volunteers: 8, ...CALM, lost: 0.5 },
  /** For the table of times: machines and links differ, and everyone stays. */
  clock: { volunteers: 8, ...CALM, machine: drawn },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
