import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";

/** A delta's measurements when it was accepted. They are journaled, so a replay measures nothing. */
export interface Facts {
  /**
   * Its L2 norm ÷ (mean rate × steps^¾): what an honest delta has about the same of, whatever its ticket. A
   * walk of h steps gets √h far and a march h; AdamW on text lies between.
   */
  readonly size: number;
  /** The same of each tensor alone, about, in the layout's order; 0 where nothing was looked at. */
  readonly tensors?: readonly number[];
  /** The cosine with the server's own direction from gate text, once there is one. */
  readonly agreement?: number;
  /** The newest earlier delta that this one is nearly the same as. */
  readonly copies?: TicketId;
  /** Where it came from: a name for the sender's network that does not tell it (server/net/network.ts). */
  readonly from?: string;
}

/** A delta that waits to be merged, as the trust rules see it. */
export interface Candidate {
  readonly ticket: TicketId;
  readonly volunteer: VolunteerKey;
  /** Its ticket's version. */
  readonly version: number;
  readonly tokens: number;
  /** The run clock when it was accepted. */
  readonly at?: number;
  readonly facts?: Facts;
  /** An audit found it good. */
  readonly proven?: boolean;
}

export interface Weight {
  readonly ticket: TicketId;
  readonly weight: number;
  /** Tokens that it counts for, in budget, schedule and credit; absent: all of its own. */
  readonly tokens?: number;
}
