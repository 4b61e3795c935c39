import type { CodecSpec } from "../../protocol/codec/codec.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import type { Hash, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { RunState } from "../../protocol/manifest.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { InnerName, TicketTerms } from "../../protocol/ticket.ts";
import type { Report } from "../../protocol/upload.ts";
import type { AuditReason, Verdict } from "../trust/audit.ts";
import type { Facts, Weight } from "../trust/candidate.ts";
import type { DeltaEffect } from "../trust/standing.ts";

/**
 * A run's events. Durable events are journaled before they are applied, and hold every decision that
 * was made, so that a replay applies and never decides; soft events are forgotten by a restart. `at` is the
 * run clock: milliseconds that the server was up since the run was created.
 */
export type DurableEvent =
  | Created
  | Accepted
  | Closed
  | Published
  | Evaluated
  | StateChanged
  | Audited
  | Settled
  | Sampled
  | RolledBack
  | Ruled
  | TextAdded;

export type Event = DurableEvent | SoftEvent;

export type SoftEvent =
  /** A volunteer asks for work; `ticket` is the fresh nonce it will be known by. */
  | {
      readonly type: "asked";
      readonly volunteer: VolunteerKey;
      readonly ticket: TicketId;
      readonly pace: Pace;
      /** The run clock when it first asked: it has waited since. */
      readonly since: number;
    }
  /** Time passed; also the first event after a replay. */
  | { readonly type: "tick" };

/** Version 0: how the run began. What the shell must know again is opaque here. */
export interface Created {
  readonly type: "created";
  readonly at: number;
  /** The published hash of version 0. */
  readonly hash: Hash;
  readonly genesis: Genesis;
  /** It began paused. Of the same record, so that no crash can start it. */
  readonly paused?: true;
}

/** Plain JSON that makes this run this run; its hash is the run's id. */
export type Genesis = Readonly<Record<string, unknown>>;

/** A delta passed the checks. Its frame is stored with the event. */
export interface Accepted {
  readonly type: "accepted";
  readonly at: number;
  readonly ticket: TicketId;
  readonly volunteer: VolunteerKey;
  /** SHA-256 of the frame. */
  readonly delta: Hash;
  /** The ticket's version. */
  readonly version: number;
  readonly tokens: number;
  /** The ticket's place in the order of all ranges. */
  readonly position: number;
  /** Milliseconds from the ticket to here. */
  readonly took: number;
  readonly report: Report;
  /** Its ticket's terms, in a run on a clock. */
  readonly asked?: Clocked;
  /** Its L2 norm, in a run on a clock. */
  readonly norm?: number;
  /** Measurements that the trust rules weigh it by. */
  readonly facts?: Facts;
  /**
   * It ends at once, for this reason. Another server gave its receipt before it could know of what the one that leads knew
   * by then: so the journal has it, and nothing is made of it.
   */
  readonly refused?: ErrorCode;
}

/** A ticket that says for how long to train. */
export interface Clocked {
  /** Steps at most: they draw the order of its windows. */
  readonly steps: number;
  /** Sequences of a micro-batch. */
  readonly batch: number;
  readonly trainFor: number;
  readonly inner: InnerName;
  /** The codec of its delta; absent: the run's. */
  readonly delta?: CodecSpec;
}

/** A version takes no more deltas: these are merged, in this order, with these weights. */
export interface Closed {
  readonly type: "closed";
  readonly at: number;
  /** The version the deltas are merged onto. */
  readonly version: number;
  readonly merged: readonly MergedDelta[];
  /** Divides the weighted sum, where it is more than the sum of the weights: the mean is then shorter. */
  readonly total?: number;
  /** Most of it, by weight, was trained with Muon inside: in a run that may change between both. */
  readonly inner?: "muon";
  /** With `inner`, in a run whose outer step depends on it: the deltas are those of a crowd, or such a part of one. */
  readonly crowd?: true | number;
  /** These go unmerged; what is in neither list waits for a later version. */
  readonly discarded?: readonly TicketId[];
}

export type MergedDelta = Weight;

/** The closed version's successor exists. */
export interface Published {
  readonly type: "published";
  readonly at: number;
  readonly version: number;
  readonly hash: Hash;
  /** SHA-256 of the diff frame that leads here from the version before. */
  readonly diff: Hash;
  readonly diffBytes: number;
  /** L2 norm of its deltas' mean, in a run on a clock: with their own norms it tells how similar they are. */
  readonly norm?: number;
  /** The hash of the version's signed record, and its signature (protocol/history.ts). */
  readonly record: Hash;
  readonly signature: Signature;
}

export interface Evaluated {
  readonly type: "evaluated";
  readonly at: number;
  readonly version: number;
  /** All tokens merged into the version. */
  readonly tokens: number;
  readonly loss: number;
  readonly sample: string;
  /** On held-out text that was added since the run began. */
  readonly added?: number;
  /** What the version wrote on from each of the run's prompts. */
  readonly written?: readonly string[];
  /** Of the run's questions, those that it answered right. */
  readonly right?: number;
}

/** To "finished": whatever waits, and whatever was already on its way to the journal, is discarded. */
export interface StateChanged {
  readonly type: "state";
  readonly at: number;
  readonly state: RunState;
}

/** An audit's verdict on an accepted delta, before its merge or after: then its author loses the credit. */
export interface Audited {
  readonly type: "audited";
  readonly at: number;
  readonly ticket: TicketId;
  readonly volunteer: VolunteerKey;
  readonly verdict: Verdict["verdict"];
  readonly reason: AuditReason;
  /** Of an audit for a roll-back: the weights that came back, on which it was made. */
  readonly on?: Hash;
  /** Gain of each of its steps on its own text, nats a token, where that was measured. */
  readonly gain?: number;
  /** Its author's newest deltas whose credit goes with it; absent: those that the standing names (trust/standing.ts). */
  readonly forfeits?: number;
}

/** What deltas that were merged into a version did to the loss on gate text (trust/slow-harm.ts). */
export interface Sampled {
  readonly type: "sampled";
  readonly at: number;
  readonly version: number;
  readonly effects: readonly DeltaEffect[];
}

/**
 * An audit that volunteers made is over: who measured what is true has credit for it, and who did not is found bad.
 */
export interface Settled {
  readonly type: "settled";
  readonly at: number;
  /** The ticket of the delta. */
  readonly ticket: TicketId;
  /** Tokens that each of those who are right earns. */
  readonly tokens: number;
  readonly right: readonly VolunteerKey[];
  readonly wrong: readonly VolunteerKey[];
  /** As of {@link Audited}, of each that is wrong. */
  readonly forfeits?: number;
  /** What is true: all three measured it, or the server did. */
  readonly by: "agreement" | "server";
}

/**
 * A version whose weights are an earlier one's: the number goes on, so that replicas, tickets and the history
 * need no exception. Whatever waits is discarded, and tickets of the versions before are void.
 */
export interface RolledBack {
  readonly type: "rolled-back";
  readonly at: number;
  /** The new version. */
  readonly version: number;
  /** The version whose weights it has. */
  readonly to: number;
  readonly hash: Hash;
  readonly reason: "operator" | "held-out loss";
  /** As of `published`. */
  readonly record: Hash;
  readonly signature: Signature;
}

/** The operator shuts a volunteer out, or takes it back as a newcomer. */
export interface Ruled {
  readonly type: "ruled";
  readonly at: number;
  readonly volunteer: VolunteerKey;
  readonly ruling: "banned" | "forgiven";
}

/**
 * More text to train on, at a boundary: no delta of the version has come yet. Positions from `from` on are of all the
 * text; those before keep their ranges, and so do tickets that are out.
 */
export interface TextAdded {
  readonly type: "text-added";
  readonly at: number;
  readonly version: number;
  readonly from: number;
  /** SHA-256 of the file that lists its shards. */
  readonly text: Hash;
  /** Of its training part. */
  readonly tokens: number;
}

/** A task for the shell. */
export type Effect =
  /** Journal this decision and, once it is durable, apply it. Asked again until it is applied. */
  | { readonly type: "record"; readonly event: Closed | StateChanged | TextAdded }
  /** Merge what `closed` names, and journal `published`. Asked again until it is applied. */
  | { readonly type: "merge"; readonly closed: Closed }
  /** The answer to `asked`. */
  | { readonly type: "lease"; readonly terms: TicketTerms }
  /** The answer to `asked`: nothing for now. */
  | {
      readonly type: "refuse";
      readonly code: "run-paused" | "run-finished" | "no-work" | "quarantined" | "banned";
      readonly retryAfterMs?: number;
    }
  /** The answer to `asked`: ask again with the next version, or at this time of the run clock. */
  | { readonly type: "hold"; readonly until: number }
  | { readonly type: "announce"; readonly event: RunEvent }
  /** Held-out loss has risen beyond the bound: take the weights back to those of `to`, or of one before it. */
  | { readonly type: "roll-back"; readonly to: number }
  /** Measure a version on held-out text, when there is time. */
  | { readonly type: "evaluate"; readonly version: number; readonly tokens: number };
