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
  /** Of those that come back as they were: they only paused, and send what they had done. Absent: they send nothing. */
  readonly pauses?: true;
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

/**
 * From a phone to a fast laptop, a factor of ten, and uplinks of 1 to 20 Mbit/s: both evenly by their logarithm. Each of
 * the three is in [0, 1).
 */
const machineAt = (link: number, speed: number, distance: number): Machine => ({
  flopsPerMs: SLOWEST * SPEED_RANGE ** speed,
  up: LINK_RANGE ** link * MBIT,
  down: 4 * LINK_RANGE ** link * MBIT,
  latency: 20 + 60 * distance,
});
const SLOWEST = 0.3 * LAPTOP;
const SPEED_RANGE = 10;
const LINK_RANGE = 20;

const drawn = (random: Random): Machine => machineAt(random.unit(), random.unit(), random.unit());

/** The mean of `range` to the power of a number that is anywhere in [0, 1). */
const meanPower = (range: number): number => (range - 1) / Math.log(range);

/** A machine of the mean speed of those drawn, with their mean link. */
export function machineOfMeans(): Machine {
  const up = meanPower(LINK_RANGE) * MBIT;
  return { flopsPerMs: SLOWEST * meanPower(SPEED_RANGE), up, down: 4 * up, latency: 50 };
}

/**
 * Machines at even steps over the whole range of those drawn, fast ones with slow links as well as with fast, scaled to the mean
 * speed and link of {@link machineOfMeans}. One is exactly that: drawn, it would be anything over a factor of ten, and
 * every speed-up over it as well.
 */
export function evenMachines(count: number, random: Random): Machine[] {
  const spread = () =>
    Array.from({ length: count }, (_, i) => ({ step: (i + 0.5) / count, place: random.u32() }))
      .sort((a, b) => a.place - b.place)
      .map(({ step }) => step);
  const [links, speeds, distances] = [spread(), spread(), spread()];
  const machines = speeds.map((speed, i) => machineAt(links[i]!, speed, distances[i]!));
  const wanted = machineOfMeans();
  const faster = (count * wanted.flopsPerMs) / machines.reduce((sum, { flopsPerMs }) => sum + flopsPerMs, 0);
  const wider = (count * wanted.up) / machines.reduce((sum, { up }) => sum + up, 0);
  return machines.map(({ flopsPerMs, up, down, latency }) => ({
    flopsPerMs: faster * flopsPerMs,
    up: wider * up,
    down: wider * down,
    latency,
  }));
}

const CHURN = { machine: drawn, late: 0.2, leaves: 0.2, lost: 0 };
const CALM = { machine: homogeneous, late: 0, leaves: 0, lost: 0 };

export const SCENARIOS = {
  homogeneous: { volunteers: 8, ...CALM },
  churn: { volunteers: 8, ...CHURN },
  /** Churn, with the codec that large models get. */
  sparse: { volunteers: 8, ...CHURN },
  fifty: { volunteers: 50, ...CHURN },
  dropped: { volunteers: 8, ...CALM, lost: 0.5 },
  /** Churn where half of those that go only pause. */
  pauses: { volunteers: 8, ...CHURN, pauses: true },
  /** For the table of times: machines and links differ, and everyone stays. */
  calm: { volunteers: 8, ...CALM, machine: drawn },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

/** Those of the table of times; the last only where it is asked for. */
export const CROWD_SCENARIOS = ["calm", "churn", "pauses"] as const satisfies ScenarioName[];
export type CrowdScenario = (typeof CROWD_SCENARIOS)[number];
