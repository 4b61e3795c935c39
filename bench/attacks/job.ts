import type { AttackName } from "./attacks.ts";

/** The rules that are compared; "centred-clipping" is others' and made for this bench alone. */
export const BENCH_RULES = ["default", "mean", "clipped-mean", "centred-clipping"] as const;
export type BenchRule = (typeof BENCH_RULES)[number];
export const SHARDINGS = ["iid", "skewed"] as const;
export type Sharding = (typeof SHARDINGS)[number];

/** One run. */
export interface Job {
  readonly rule: BenchRule;
  /** Undefined: nobody attacks. */
  readonly attack: AttackName | undefined;
  /** Attackers among the volunteers. */
  readonly fraction: number;
  readonly sharding: Sharding;
  readonly seed: number;
  readonly volunteers: number;
  readonly tokens: number;
  /** A crowd's, on a clock, as the product's are; absent: on turns. */
  readonly rounds?: "clock" | "turns";
}

/** How many of its volunteers do not attack. */
export const honestOf = ({ volunteers, fraction }: Pick<Job, "volunteers" | "fraction">): number =>
  volunteers - Math.round(fraction * volunteers);

export interface Outcome {
  readonly job: Job;
  /** Held-out loss at the end, nats a token. */
  readonly loss: number;
  readonly versions: number;
  /** Of a run on a clock: those of its versions that were made as a crowd's. */
  readonly crowds?: number;
  readonly rollbacks: number;
  readonly honest: Sent;
  readonly attackers: Sent;
  /** Audits' compute ÷ volunteers'. */
  readonly auditShare: number;
  /** Cosines with the server's own direction, those of honest deltas and of attackers': lowest, 5th percentile, median, highest. */
  readonly agreement: { readonly honest: readonly number[]; readonly attackers: readonly number[] };
  /** Verdicts by reason. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Percent of prompts with a backdoor's trigger that the model goes on from as the backdoor wants. */
  readonly backdoorPercent: number;
  readonly seconds: number;
}

export interface Sent {
  readonly volunteers: number;
  readonly deltas: number;
  /** Refused at the door, discarded, or their credit revoked. */
  readonly refused: number;
  /** Tokens of credit, at the end. */
  readonly credit: number;
}
