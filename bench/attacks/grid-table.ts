import { type Held, heldBy, TO_BE_FOUND } from "./bounds.ts";
import type { Job, Outcome } from "./job.ts";
import { reportOf } from "./rows.ts";

/** A part of the grid under the default rule: one sharding, fraction and seed. */
export interface GridPart extends Pick<Job, "sharding" | "fraction" | "seed"> {
  /** Attacks of it that were run. */
  readonly attacks: number;
  /** What is asked of it, each run by itself. */
  readonly held: readonly Held[];
  /** The most credit of whoever is to be found, percent of an honest volunteer's; undefined: none of them was run. */
  readonly credit: { readonly value: number; readonly attack: string } | undefined;
}

/** Attackers beyond this are a row of their own, and no part of the grid. */
const MAX_FRACTION = 0.5;

/** The grid's parts, in the order in which their first runs were made. */
export function gridPartsOf(outcomes: readonly Outcome[]): GridPart[] {
  const runs = outcomes.filter(({ job }) => job.rounds !== "clock");
  const attacked = runs.filter(
    ({ job }) => job.rule === "default" && job.attack !== undefined && job.fraction < MAX_FRACTION,
  );
  const parts = Map.groupBy(attacked, ({ job }) => [job.sharding, job.fraction, job.seed].join());
  return [...parts.values()].map((made) => {
    const { sharding, fraction, seed } = made[0]!.job;
    // Its runs without attackers are what it is measured against.
    const references = runs.filter(
      ({ job }) => job.attack === undefined && job.sharding === sharding && job.seed === seed,
    );
    const report = reportOf([...references, ...made]);
    const credits = report.rows
      .filter((row) => row.rule === "default" && TO_BE_FOUND.some((attack) => attack === row.attack))
      .map(({ attack, attackerCreditPercent: value }) => ({ attack, value }));
    return {
      ...{ sharding, fraction, seed, attacks: made.length },
      held: heldBy(report, []),
      credit: credits.toSorted((a, b) => b.value - a.value)[0],
    };
  });
}
