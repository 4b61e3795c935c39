import type { HeldOutPoint } from "../../protocol/status.ts";
import type { Learns, Verdict } from "./audit.ts";
import { type Standing, trusted } from "./standing.ts";

/** Versions for which newest weights that learned from the server's own training of a ticket are taken to learn. */
const LEARNS_FOR = 8;

/** The run's state of learning when a delta is judged. */
interface Moment {
  readonly version: number;
  /** Oldest first. */
  readonly heldOut: readonly HeldOutPoint[];
}

/**
 * The weights that a delta is looked at on: a name of those that a run went back to, or those it was made for, which are
 * the newest ones. Undefined for others, of which nothing that was seen before speaks.
 */
type Weights = string | undefined;
export const NEWEST = "newest";

/**
 * Which weights speak against a delta that gains nothing, on the newest ones, by what was seen there of others': none against
 * somebody trusted. What is usual lags behind where a run begins, and noise did the rest: one wrong verdict in a few hundred
 * audits cost an honest volunteer all it had sent. So before it is blamed the server trains its ticket twice in any case.
 */
export const weightsAgainst = (standing: Standing): Weights => (trusted(standing) ? undefined : NEWEST);

/** Remembers where the server's own training of a ticket was last seen to help while a volunteer's delta did not. */
export class Learning {
  #seen: { readonly on: Weights; readonly version: number; readonly loss: number } | undefined;

  /** Notes a verdict that took the server's own training into account, and how steady that is. */
  note({ verdict, reason }: Verdict, on: Weights, moment: Moment): void {
    const helped = verdict === "bad" && reason !== "mismatch";
    if (helped && on !== undefined) this.#seen = { on, version: moment.version, loss: newestLoss(moment) };
  }

  /**
   * Whether those weights learn, as far as was seen. The newest weights change all the time, and may learn no more once
   * the loss has risen.
   */
  on(weights: Weights, moment: Moment): Learns {
    if (this.#seen === undefined || this.#seen.on !== weights) return "unknown";
    const { version, loss } = this.#seen;
    if (weights !== NEWEST) return "same";
    return moment.version - version < LEARNS_FOR && newestLoss(moment) <= loss ? "lately" : "unknown";
  }
}

const newestLoss = ({ heldOut }: Moment): number => heldOut.at(-1)?.loss ?? Number.POSITIVE_INFINITY;
