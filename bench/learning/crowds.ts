import { isReference, TARGETS, type Target } from "./crowd-plan.ts";
import type { CrowdJob, ModelName, Outcome } from "./job.ts";
import { mean } from "./rows.ts";
import type { CrowdScenario } from "./scenarios.ts";
import { crossingOf, MAX_GAP } from "./target-curve.ts";

/** One line of the table of times: how long so many volunteers take to a loss, the mean over seeds. */
export interface Crowd {
  readonly model: ModelName;
  readonly recipe: string;
  readonly scenario: CrowdScenario;
  readonly volunteers: number;
  readonly target: Target;
  /** The target's held-out loss, nats a token. */
  readonly loss: number;
  /** Virtual seconds until then; null where a seed's run ended above it. */
  readonly seconds: number | null;
  /** How many times sooner than one volunteer of "turns" in the scenario calm, on the same seeds. */
  readonly speedUp: number | null;
  /** How many times sooner than one volunteer of the same recipe in the same scenario. */
  readonly speedUpOverOwn: number | null;
  /** What as many perfect machines would take without a network (bound.ts). */
  readonly boundSeconds: number | null;
  /** Of the whole run, as in {@link Outcome}. */
  readonly goodput: number;
  readonly bitsUp: number;
  readonly bitsDown: number;
  readonly bitsJoin: number;
  readonly seeds: number;
  /** Seeds whose run came down to the loss. */
  readonly reached: number;
  /** Tokens merged until then. */
  readonly tokens: number | null;
  /** The widest part of a run that a time is interpolated over, and whether that is too much for the time to be trusted. */
  readonly gap: number | null;
  readonly coarse: boolean;
}

type CrowdRun = Outcome<CrowdJob>;

/** One seed's time. */
interface Timed {
  readonly run: CrowdRun;
  readonly loss: number;
  readonly crossing: { readonly ms: number; readonly tokens: number; readonly gap: number } | undefined;
}

/** Tables the crowds among `outcomes`, beside one volunteer and the bound where these are among them too. */
export function crowdsOf(outcomes: readonly Outcome[]): Crowd[] {
  const runs = outcomes.flatMap((outcome): CrowdRun[] =>
    outcome.job.kind === "crowd" ? [{ ...outcome, job: outcome.job }] : [],
  );
  const groups = Map.groupBy(runs, ({ job: { model, recipe, scenario, volunteers, corpus, tokens } }) =>
    [model, corpus, tokens, recipe, scenario, volunteers].join(),
  );
  return [...groups.values()].flatMap((group) =>
    TARGETS.flatMap((target) => {
      const timed = timesOf(group, target);
      return timed.length === 0 ? [] : [rowOf(timed, target, runs, outcomes)];
    }),
  );
}

function rowOf(
  timed: readonly Timed[],
  target: Target,
  runs: readonly CrowdRun[],
  all: readonly Outcome[],
): Crowd {
  const { model, recipe, scenario, volunteers } = timed[0]!.run.job;
  const crossings = timed.flatMap(({ crossing }) => crossing ?? []);
  const isReached = crossings.length === timed.length;
  const seconds = isReached ? mean(crossings.map(({ ms }) => ms)) / 1_000 : null;
  const over = (isOther: (job: CrowdJob) => boolean) => {
    const others = timesOf(
      runs.filter(({ job }) => job.model === model && isOther(job)),
      target,
    );
    return ratioOf(others, timed);
  };
  const of = (value: (run: CrowdRun) => number) => mean(timed.map(({ run }) => value(run)));
  const gap = isReached ? Math.max(...crossings.map((crossing) => crossing.gap)) : null;
  return {
    model,
    recipe,
    scenario,
    volunteers,
    target,
    loss: mean(timed.map(({ loss }) => loss)),
    seconds,
    speedUp: over((job) => isReference(job.recipe, job.scenario, job.volunteers)),
    speedUpOverOwn: over((job) => job.recipe === recipe && job.scenario === scenario && job.volunteers === 1),
    boundSeconds: boundOf(timed, all),
    goodput: of((run) => run.goodput),
    bitsUp: of((run) => run.bitsUp),
    bitsDown: of((run) => run.bitsDown),
    bitsJoin: of((run) => run.bitsJoin),
    seeds: timed.length,
    reached: crossings.length,
    tokens: isReached ? Math.round(mean(crossings.map(({ tokens }) => tokens))) : null,
    gap,
    coarse: gap !== null && gap > MAX_GAP,
  };
}

/** Each seed's time to its target, where it was asked for it. A seed that was run twice counts once: the longer one. */
function timesOf(runs: readonly CrowdRun[], target: Target): Timed[] {
  const bySeed = new Map<number, Timed>();
  for (const run of runs) {
    const timed = timeOf(run, target);
    const known = bySeed.get(run.job.seed);
    if (timed !== undefined && (known === undefined || known.run.versions < run.versions)) {
      bySeed.set(run.job.seed, timed);
    }
  }
  return [...bySeed.values()];
}

function timeOf(run: CrowdRun, target: Target): Timed | undefined {
  const [early, deep] = run.job.targets;
  const loss = target === "early" ? early : deep;
  if (loss === undefined) return undefined;
  if (loss !== "end") return { run, loss, crossing: crossingOf(run.curve, loss) };
  const end = run.curve.at(-1);
  return end && { run, loss: end.loss, crossing: { ...end, gap: 0 } };
}

/** How many times as long the others took as these, on the same seeds; null where some time is missing. */
function ratioOf(others: readonly Timed[], these: readonly Timed[]): number | null {
  const pairs = these.map(({ run, crossing }) => ({
    own: crossing?.ms,
    other: others.find((one) => one.run.job.seed === run.job.seed)?.crossing?.ms,
  }));
  const sum = (values: readonly (number | undefined)[]) =>
    values.reduce<number>((total, value) => total + (value ?? Number.NaN), 0);
  const ratio = sum(pairs.map(({ other }) => other)) / sum(pairs.map(({ own }) => own));
  return Number.isNaN(ratio) ? null : ratio;
}

/** The mean bound on these seeds, of as many machines; null where a seed has none. */
function boundOf(timed: readonly Timed[], all: readonly Outcome[]): number | null {
  const seconds = timed.map(({ run: { job }, loss }) => {
    const bound = all.find(
      (one) =>
        one.job.kind === "bound" &&
        one.job.model === job.model &&
        one.job.corpus === job.corpus &&
        one.job.seed === job.seed,
    );
    const crossing = bound && crossingOf(bound.curve, loss);
    return crossing ? crossing.ms / job.volunteers / 1_000 : Number.NaN;
  });
  const value = mean(seconds);
  return Number.isNaN(value) ? null : value;
}

const HEADINGS =
  "model  recipe      scenario  volunteers  target  to loss   seconds  speed-up  over own   bound  goodput  bits up   down  (join)   tokens  seeds";

/** The table as text. `~` marks a time between points that lie too far apart, `–` what is not known. */
export function tableOfCrowds(crowds: readonly Crowd[]): string {
  const lines = crowds.map((row) =>
    [
      row.model.padEnd(5),
      row.recipe.padEnd(10),
      row.scenario.padEnd(8),
      String(row.volunteers).padStart(10),
      row.target.padEnd(6),
      row.loss.toFixed(3).padStart(7),
      `${row.coarse ? "~" : ""}${shown(row.seconds, 1)}`.padStart(8),
      `${shown(row.speedUp, 2)}×`.padStart(8),
      `${shown(row.speedUpOverOwn, 2)}×`.padStart(8),
      shown(row.boundSeconds, 1).padStart(6),
      `${(100 * row.goodput).toFixed(0)}%`.padStart(7),
      row.bitsUp.toFixed(2).padStart(7),
      row.bitsDown.toFixed(2).padStart(5),
      row.bitsJoin.toFixed(2).padStart(6),
      (row.tokens === null ? "–" : `${(row.tokens / 1e6).toFixed(2)}M`).padStart(7),
      row.reached === row.seeds ? String(row.seeds) : `${row.reached} of ${row.seeds}`,
    ].join("  "),
  );
  return [HEADINGS, ...lines].join("\n");
}

const shown = (value: number | null, digits: number): string =>
  value === null ? "–" : value.toFixed(digits);
