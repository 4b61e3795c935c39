import { honestOf, type Job, type Outcome } from "./job.ts";
import { creditShare } from "./rows.ts";

/** The row without attackers. */
export const NOBODY = "nobody attacks";

/** One attack on a crowd that trains on a clock. Losses are held-out, in nats a token; all are means over seeds. */
interface CrowdRow {
  readonly attack: string;
  readonly sharding: string;
  readonly loss: number;
  /** Percent above the run of the honest alone that has the same rule. */
  readonly gap: number;
  /** The same under plain mean; undefined where that was not run. */
  readonly meanGap: number | undefined;
  readonly creditPercent: number;
  readonly honestLostPercent: number;
  readonly versions: number;
  /** Versions that were made as a crowd's, with its start. */
  readonly crowds: number;
}

/**
 * Crowds' rows. Each rule is measured against its own run of the honest alone: a crowd's first steps are so long that clips alone
 * make a difference, whoever is honest.
 */
export function crowdRows(outcomes: readonly Outcome[]): CrowdRow[] {
  const runs = outcomes.filter(({ job }) => job.rounds === "clock");
  const most = Math.max(...runs.map(({ job }) => job.volunteers));
  const whole = runs.filter(({ job }) => job.rule === "default" && job.volunteers === most);
  const groups = Map.groupBy(whole, ({ job }) => [job.attack, job.fraction, job.sharding].join());
  return [...groups.values()].map((group) => {
    const { attack = NOBODY, sharding } = group[0]!.job;
    const gaps = group.map((run) => gapOf(run, runs));
    const meanGaps = group.flatMap(({ job }) => {
      const plain = runs.find((run) => isSame(run.job, { ...job, rule: "mean" }));
      return plain ? [gapOf(plain, runs)] : [];
    });
    return {
      ...{ attack, sharding, gap: mean(gaps) },
      meanGap: meanGaps.length === group.length ? mean(meanGaps) : undefined,
      loss: mean(group.map((run) => run.loss)),
      creditPercent: 100 * mean(group.map(creditShare)),
      honestLostPercent: 100 * mean(group.map(({ honest }) => honest.refused / honest.deltas)),
      versions: mean(group.map((run) => run.versions)),
      crowds: mean(group.map((run) => run.crowds ?? 0)),
    };
  });
}

/** Percent above the honest alone under the same rule; NaN where these were not run. */
function gapOf({ job, loss }: Outcome, runs: readonly Outcome[]): number {
  const alone = { ...job, attack: undefined, fraction: 0, volunteers: honestOf(job) };
  const known = runs.find((run) => isSame(run.job, alone));
  return 100 * (loss / (known?.loss ?? Number.NaN) - 1);
}

const isSame = (a: Job, b: Job): boolean =>
  a.rule === b.rule &&
  a.attack === b.attack &&
  a.fraction === b.fraction &&
  a.sharding === b.sharding &&
  a.seed === b.seed &&
  a.volunteers === b.volunteers &&
  a.tokens === b.tokens;

const mean = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
