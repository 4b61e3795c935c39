import type { RunEvent } from "../../protocol/events.ts";
import type { Hash, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { RunState } from "../../protocol/manifest.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import type { Report } from "../../protocol/upload.ts";

/**
 * What happens to a run. Durable events are journaled before they are applied, and hold every decision that
 * was made, so that a replay applies and never decides; soft events are forgotten by a restart. `at` is the
 * run clock: milliseconds that the server was up since the run was created.
 */
export type DurableEvent = Created | Accepted | Closed | Published | Evaluated | StateChanged;

export type Event = DurableEvent | SoftEvent;

export type SoftEvent =
  /** A volunteer asks for work; `ticket` is the fresh nonce it will be known by. */
  | {
      readonly type: "asked";
      readonly volunteer: VolunteerKey;
      readonly ticket: TicketId;
      readonly pace: Pace;
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
}

/** A version takes no more deltas: these are merged, in this order, with these weights. */
export interface Closed {
  readonly type: "closed";
  readonly at: number;
  /** The version the deltas are merged onto. */
  readonly version: number;
  readonly merged: readonly MergedDelta[];
}

export interface MergedDelta {
  readonly ticket: TicketId;
  readonly weight: number;
}

/** The closed version's successor exists. */
export interface Published {
  readonly type: "published";
  readonly at: number;
  readonly version: number;
  readonly hash: Hash;
  /** SHA-256 of the diff frame that leads here from the version before. */
  readonly diff: Hash;
  readonly diffBytes: number;
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
}

/** To "finished": whatever waits, and whatever was already on its way to the journal, is discarded. */
export interface StateChanged {
  readonly type: "state";
  readonly at: number;
  readonly state: RunState;
}

/** What the shell is asked to do. */
export type Effect =
  /** Journal this decision and, once it is durable, apply it. Asked again until it is applied. */
  | { readonly type: "record"; readonly event: Closed | StateChanged }
  /** Merge what `closed` names, and journal `published`. Asked again until it is applied. */
  | { readonly type: "merge"; readonly closed: Closed }
  /** The answer to `asked`. */
  | { readonly type: "lease"; readonly terms: TicketTerms }
  /** The answer to `asked`: nothing for now. */
  | {
      readonly type: "refuse";
      readonly code: "run-paused" | "run-finished" | "no-work";
      readonly retryAfterMs?: number;
    }
  | { readonly type: "announce"; readonly event: RunEvent }
  /** Measure a version on held-out text, when there is time. */
  | { readonly type: "evaluate"; readonly version: number; readonly tokens: number };
