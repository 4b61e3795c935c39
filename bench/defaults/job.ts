import { parseSettings } from "../../server/run/settings.ts";
import type { Outcome, SimulatedSwarm } from "../learning/job.ts";

/** Small models that people really begin with, by their width; the largest is GPT-2's own, with one layer. */
export const SHAPES = {
  16: { layers: 1, heads: 2, width: 16, context: 32 },
  32: { layers: 1, heads: 2, width: 32, context: 32 },
  64: { layers: 2, heads: 4, width: 64, context: 64 },
  128: { layers: 2, heads: 4, width: 128, context: 64 },
  256: { layers: 2, heads: 4, width: 256, context: 64 },
  768: { layers: 1, heads: 12, width: 768, context: 32 },
} as const;
export type Width = keyof typeof SHAPES;
export const WIDTHS = ["16", "32", "64", "128", "256", "768"] as const;

/** The defaults of today, and those of releases before there was an `outer.fullAt`. */
export const RULES = ["today", "before"] as const;
export type Rule = (typeof RULES)[number];

/** Of one that would take hours only the first steps are made, at the full rate at once: they would blow it up. */
const FIRST_STEPS = { batch: 1, steps: 3, warmupTokens: 0 };
/** Tokens of these, and what its few points are measured on. */
const FIRST_TOKENS = 1_500;
const FIRST_MEASURED = 1_024;

export interface Cell extends SimulatedSwarm {
  readonly width: Width;
  readonly rule: Rule;
  readonly volunteers: number;
}

/** Tokens of a run; a crowd's versions are so much larger that it takes twice as many. */
const TOKENS = 200_000;
const CROWD = 8;

/** A run of the defaults, cut short: its schedule is that of the whole budget, so that no rate falls meanwhile. */
export function cellOf(
  width: Width,
  volunteers: number,
  rule: Rule,
  seed: number,
  tokens = volunteers < CROWD ? TOKENS : 2 * TOKENS,
): Cell {
  const model = SHAPES[width];
  const before = {
    rounds: "turns",
    learningRate: Number((0.3 / width).toPrecision(3)),
    outer: { kind: "muon", rate: 1.3, momentum: 0.3, fullAt: 1 },
  };
  const settings = parseSettings({
    seed,
    model,
    ...(width === 768 && FIRST_STEPS),
    ...(rule === "before" && before),
  });
  const sizes = width === 768 ? { tokens: FIRST_TOKENS, measured: FIRST_MEASURED } : { tokens };
  return { width, rule, volunteers, seed, settings, scenario: "homogeneous", points: POINTS, ...sizes };
}

const POINTS = 10;

/** A line of the table: a cell, the mean over its seeds. */
export interface Row {
  readonly width: Width;
  readonly volunteers: number;
  readonly rule: Rule;
  readonly seeds: number;
  readonly learningRate: number;
  readonly tokens: number;
  readonly versions: number;
  /** Held-out loss in nats a token, at the end; and the highest and lowest on the way. */
  readonly loss: number;
  readonly highest: number;
  readonly lowest: number;
  /** The loss at the end as a part of what guessing costs, percent. */
  readonly ofGuessing: number;
  /** It ended below where it began, and within a twentieth of its lowest: of every seed. */
  readonly learns: boolean;
}

/** What the loss may lie above its lowest at the end: 5%, as the server says of a run that gets worse. */
const WORSE = 1.05;

export function rowsOf(outcomes: readonly Outcome<Cell>[], vocabulary: number): Row[] {
  const cells = Map.groupBy(
    outcomes,
    ({ job: { width, volunteers, rule } }) => `${width} ${volunteers} ${rule}`,
  );
  return [...cells.values()].map((runs) => {
    const { width, volunteers, rule, settings } = runs[0]!.job;
    const mean = (of: (run: Outcome<Cell>) => number) =>
      runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
    const losses = ({ curve }: Outcome<Cell>) => curve.map(({ loss }) => loss);
    const loss = mean((run) => run.loss);
    return {
      width,
      volunteers,
      rule,
      seeds: runs.length,
      learningRate: settings.learningRate,
      tokens: mean((run) => run.tokens),
      versions: mean((run) => run.versions),
      loss,
      highest: Math.max(...runs.flatMap(losses)),
      lowest: mean((run) => Math.min(...losses(run))),
      ofGuessing: (100 * loss) / Math.log(vocabulary),
      learns: runs.every((run) => run.loss < losses(run)[0]! && run.loss < WORSE * Math.min(...losses(run))),
    };
  });
}
