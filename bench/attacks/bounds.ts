import { ATTACKS, type AttackName } from "./attacks.ts";
import type { AuditRow } from "./audit-rows.ts";
import type { Report, Row } from "./rows.ts";

/** One thing that is asked of the default rule, and what came of it. */
export interface Held {
  readonly asked: string;
  /** The same in a word. */
  readonly of: "loss" | "credit" | "honest lost" | "honest work" | "audits";
  /** What it may be at most, or must be at least. */
  readonly bound: number;
  readonly atLeast: boolean;
  /** The worst that was measured, and where; undefined: nothing of the kind was. */
  readonly worst: { readonly value: number; readonly where: string } | undefined;
  /** Everything that misses it, the worst first. */
  readonly missing: readonly { readonly value: number; readonly where: string }[];
}

/** Attacks that are to be found: their makers must not keep what they earned. */
export const TO_BE_FOUND: readonly AttackName[] = [
  "guarded",
  "guarded, opposed",
  "break-then-garbage",
  "rejoining flips",
  "new-key garbage",
];
/** Attackers of ten in the runs of Sybils, which are measured by how much honest work counts for. */
const SYBILS = 0.9;

/** Percent, all of it. */
export const BOUNDS = {
  lossAt20: 3,
  lossAt30: 6,
  creditOfFound: 30,
  creditOfRiders: 10,
  honestLostClean: 1,
  honestLostAttacked: 2,
  honestWork: 90,
  audits: 8,
} as const;

const held = (
  of: Held["of"],
  asked: string,
  bound: number,
  measured: Held["missing"],
  { atLeast = false }: { atLeast?: boolean } = {},
): Held => {
  const worstFirst = measured.toSorted((a, b) => (atLeast ? a.value - b.value : b.value - a.value));
  const misses = ({ value }: Held["missing"][number]) => !(atLeast ? value >= bound : value <= bound);
  return { asked, of, bound, atLeast, worst: worstFirst[0], missing: worstFirst.filter(misses) };
};

/** What is asked (docs/SECURITY.md), and whether these runs hold it. */
export function heldBy({ rows }: Report, audits: readonly AuditRow[]): Held[] {
  const ours = rows.filter(({ rule }) => rule === "default");
  const at = (fraction: number) => ours.filter((row) => row.fraction === fraction && row.attack !== "none");
  const attacked = ours.filter(({ attack, fraction }) => attack !== "none" && fraction < SYBILS);
  const such = (of: readonly AttackName[]) =>
    attacked.filter(({ attack, fraction }) => fraction === 0.2 && of.includes(attack as AttackName));
  const riders = (Object.keys(ATTACKS) as AttackName[]).filter((name) => ATTACKS[name].rides);
  const each = (of: readonly Row[], value: (row: Row) => number) =>
    of.map((row) => ({ value: value(row), where: nameOf(row) }));
  const credit = ({ attackerCreditPercent }: Row) => attackerCreditPercent;
  const lost = ({ honestLostPercent }: Row) => honestLostPercent;
  const loss = ({ gapToHonestPercent }: Row) => gapToHonestPercent;
  const share = ({ auditPercent }: Row) => auditPercent;
  return [
    held("loss", "loss above the honest alone, 20% attackers", BOUNDS.lossAt20, each(at(0.2), loss)),
    held("loss", "the same, 30%", BOUNDS.lossAt30, each(at(0.3), loss)),
    held(
      "credit",
      "credit of whoever is to be found, of an honest volunteer's",
      BOUNDS.creditOfFound,
      each(such(TO_BE_FOUND), credit),
    ),
    held("credit", "credit of free riders", BOUNDS.creditOfRiders, each(such(riders), credit)),
    held(
      "honest lost",
      "honest deltas lost, nobody attacks",
      BOUNDS.honestLostClean,
      each(
        ours.filter(({ attack }) => attack === "none"),
        lost,
      ),
    ),
    held(
      "honest lost",
      "honest deltas lost under an attack",
      BOUNDS.honestLostAttacked,
      each(attacked, lost),
    ),
    held(
      "honest work",
      "honest work beside nine Sybils, of the token budget",
      BOUNDS.honestWork,
      each(at(SYBILS), ({ honestWorkPercent }) => honestWorkPercent),
      { atLeast: true },
    ),
    held("audits", "audits in these runs, of what volunteers trained", BOUNDS.audits, [
      ...each(
        ours.filter(({ fraction }) => fraction < SYBILS),
        share,
      ),
    ]),
    held(
      "audits",
      "audits of 8, 64 and 500 veterans, of all compute",
      BOUNDS.audits,
      audits.map(({ volunteers, computePercent }) => ({
        value: computePercent,
        where: `${volunteers} volunteers`,
      })),
    ),
  ];
}

/** Of twenty percent, and of one seed, nothing is said. */
function nameOf({ attack, sharding, fraction, seeds }: Row): string {
  const usual = fraction === 0.2 || fraction > SYBILS - 0.1 || attack === "none";
  return [
    ...[attack === "none" ? "nobody attacks" : attack, sharding],
    ...(usual ? [] : [`${100 * fraction}%`]),
    ...(seeds > 1 ? [`${seeds} seeds`] : []),
  ].join(", ");
}
