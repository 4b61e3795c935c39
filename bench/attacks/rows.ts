import { ATTACKS } from "./attacks.ts";
import { honestOf, type Job, type Outcome } from "./job.ts";

export interface Row {
  readonly rule: string;
  readonly attack: string;
  readonly fraction: number;
  readonly sharding: string;
  /** Seeds that it is the mean of. */
  readonly seeds: number;
  /** Held-out loss above that of the run nobody attacks and plain mean merges, percent; the mean over seeds. */
  readonly gapPercent: number;
  /**
   * The same above a run of the honest volunteers alone: with fewer of them a version has fewer deltas, so that equal
   * tokens make more versions and a lower loss, and an attacker that is merely shut out seems to help.
   */
  readonly gapToHonestPercent: number;
  /** An attacker's credit, of an honest volunteer's; 0 where nobody attacks. */
  readonly attackerCreditPercent: number;
  /** Of prompts with a backdoor's trigger, those that the model goes on from as the backdoor wants. */
  readonly backdoorPercent: number;
  /** Of the token budget, what honest deltas counted for. */
  readonly honestWorkPercent: number;
  /** Of honest deltas, those refused, discarded, or whose credit was lost. */
  readonly honestLostPercent: number;
  /** Audits' compute, of the volunteers'. */
  readonly auditPercent: number;
}

type Measures =
  | "seeds"
  | "gapPercent"
  | "gapToHonestPercent"
  | "attackerCreditPercent"
  | "backdoorPercent"
  | "honestWorkPercent"
  | "honestLostPercent"
  | "auditPercent";

export interface Report {
  readonly rows: readonly Row[];
  /** Of all honest deltas under our rules. */
  readonly honestRefusedPercent: number;
  /** A free rider's credit, of an honest volunteer's, under our rules; the mean over the runs with free riders. */
  readonly freeRiderCreditPercent: number;
  /** Audits' compute, of the volunteers', under our rules; the mean over runs. */
  readonly auditSharePercent: number;
}

export function reportOf(outcomes: readonly Outcome[]): Report {
  const clean = ({ sharding, seed, tokens }: Job, volunteers: number) =>
    outcomes.find(
      ({ job }) =>
        job.attack === undefined &&
        job.rule === "mean" &&
        job.sharding === sharding &&
        job.seed === seed &&
        job.tokens === tokens &&
        job.volunteers === volunteers,
    )!.loss;
  const most = Math.max(...outcomes.map(({ job }) => job.volunteers));
  const rows = new Map<
    string,
    {
      row: Omit<Row, Measures>;
      toClean: number[];
      toHonest: number[];
      credit: number[];
      backdoor: number[];
      work: number[];
      lost: number[];
      audits: number[];
    }
  >();
  for (const outcome of outcomes) {
    const { job, loss } = outcome;
    if (job.volunteers < most) continue; // a reference
    const row = {
      rule: job.rule,
      attack: job.attack ?? "none",
      fraction: job.fraction,
      sharding: job.sharding,
    };
    const name = JSON.stringify(row);
    const none = { toClean: [], toHonest: [], credit: [], backdoor: [], work: [], lost: [], audits: [] };
    const known = rows.get(name) ?? { row, ...none };
    known.toClean.push(100 * (loss / clean(job, most) - 1));
    known.toHonest.push(100 * (loss / clean(job, honestOf(job)) - 1));
    known.credit.push(100 * creditShare(outcome));
    known.backdoor.push(outcome.backdoorPercent);
    known.work.push((100 * outcome.honest.credit) / job.tokens);
    known.lost.push((100 * outcome.honest.refused) / Math.max(1, outcome.honest.deltas));
    known.audits.push(100 * outcome.auditShare);
    rows.set(name, known);
  }
  const ours = outcomes.filter(({ job }) => job.rule === "default");
  const riding = ours.filter(({ job }) => job.attack !== undefined && ATTACKS[job.attack].rides);
  const sum = (of: readonly number[]) => of.reduce((total, value) => total + value, 0);
  const mean = (of: readonly number[]) => (of.length === 0 ? 0 : sum(of) / of.length);
  return {
    rows: [...rows.values()].map(({ row, toClean, toHonest, credit, backdoor, work, lost, audits }) => ({
      ...row,
      seeds: toClean.length,
      gapPercent: round(mean(toClean)),
      gapToHonestPercent: round(mean(toHonest)),
      attackerCreditPercent: round(mean(credit)),
      backdoorPercent: round(mean(backdoor)),
      honestWorkPercent: round(mean(work)),
      honestLostPercent: round(mean(lost)),
      auditPercent: round(mean(audits)),
    })),
    honestRefusedPercent: round(
      (100 * sum(ours.map(({ honest }) => honest.refused))) /
        Math.max(1, sum(ours.map(({ honest }) => honest.deltas))),
    ),
    freeRiderCreditPercent: round(100 * mean(riding.map(creditShare))),
    auditSharePercent: round(100 * mean(ours.map(({ auditShare }) => auditShare))),
  };
}

/** An attacker's credit as a part of an honest volunteer's. */
export const creditShare = ({ attackers, honest }: Outcome): number =>
  attackers.volunteers === 0
    ? 0
    : attackers.credit / attackers.volunteers / (honest.credit / honest.volunteers);

const round = (value: number) => Math.round(value * 100) / 100;
