import { ProtocolError } from "../../protocol/errors.ts";
import { addFrame } from "../../protocol/frame.ts";
import type { TicketId } from "../../protocol/ids.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import type { Answer } from "./send.ts";

/**
 * Part of a delta that came too late which still counts, as in a merge (rule N2): one is refused at a staleness of 5.
 * Added back whole, the next delta would take two tickets' steps at once: it overshoots, helps half as much on its own
 * text, and an audit may find it bad.
 */
export const LATE_PART = (1 + 5) ** -1.5;
/** Late deltas in a row of which anything is remembered: each counts {@link LATE_PART} times as much as the one after it. */
const MAX_LATE = 3;
/** Versions after which a residual is dropped: it was meant for a model long gone. */
const FORGET_AFTER = 50;

/** How much residuals had aged when something was added to them. */
export interface Age {
  readonly versions: number;
  readonly forgotten: number;
}

/** What is known of a volunteer's moments and residual. The vectors themselves are on a device, or set aside. */
export interface State {
  /** Whether they are set aside, off the device. */
  readonly aside: boolean;
  /** The ticket that left the residual, and its version; undefined before the first. */
  readonly left?: { readonly version: number; readonly after: TicketId } | undefined;
  /** The inner optimiser that the moments belong to, as tickets name it. */
  readonly inner?: TicketTerms["inner"];
  /** Whether what the device holds is a fresh ticket's, into which nothing may be put. */
  readonly fresh: boolean;
  /** Whether the residual has not aged since it was left: it does at least once, for a version may not have moved. */
  readonly young: boolean;
  readonly age: Age;
  /** The part of a late last delta that was added back, as it counted at that age. */
  readonly late?: { readonly shares: readonly Share[]; readonly made: Age } | undefined;
  /** Whether the disk lacks what is carried, and whether it has a residual. */
  readonly unsaved: boolean;
  readonly residualOnDisk: boolean;
}

export const START: State = {
  aside: false,
  fresh: false,
  young: false,
  age: { versions: 0, forgotten: 0 },
  unsaved: false,
  residualOnDisk: true,
};

/** What an upload's answer means for what is carried. */
export type Outcome = "taken" | "late" | "invalid" | "lost";

/** A receipt; too late; numbers that nobody takes; and everything else, also no answer until the lease is over. */
export function outcomeOf(answer: Answer): Outcome {
  if (answer === "taken") return "taken";
  const code = answer instanceof ProtocolError ? answer.code : undefined;
  if (code === "stale" || code === "lease-expired") return "late";
  return code === "not-finite" || code === "norm-too-large" ? "invalid" : "lost";
}

export type Event =
  /** Moments and residual came from disk, or were not there. */
  | { readonly type: "restored"; readonly left: State["left"]; readonly inner: State["inner"] }
  /** A ticket begins. `moments`: whether the one before left any. */
  | {
      readonly type: "begun";
      readonly ticket: Pick<TicketTerms, "version" | "fresh" | "inner">;
      readonly moments: boolean;
    }
  /** The device has made the ticket's delta, and keeps what compression left out. */
  | { readonly type: "packed"; readonly ticket: Pick<TicketTerms, "version" | "id"> }
  /** An upload is on disk, and the residual there is part of it. */
  | { readonly type: "sending" }
  /** An upload's answer. Of a late one, also its delta and when that was made. */
  | { readonly type: "settled"; readonly outcome: Exclude<Outcome, "late"> }
  | {
      readonly type: "settled";
      readonly outcome: "late";
      readonly sent: Uint8Array<ArrayBuffer>;
      readonly made: Age;
    }
  | { readonly type: "saved" }
  /** Everything was taken off the device, which is free now. */
  | { readonly type: "parked" }
  /** Everything was dropped, on disk as well. */
  | { readonly type: "forgotten" };

/** What becomes of the residual: times `factor`, and plus what frames hold. */
export interface Change {
  readonly factor: number;
  readonly plus?: readonly Share[];
}

/** A delta as it was sent, which takes less memory than its values, and how often it counts. */
export interface Share {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly share: number;
}

export interface Reduced {
  readonly state: State;
  /** Of the residual, wherever it is; absent: it stays as it is. */
  readonly residual?: Change;
}

/**
 * A volunteer's state from ticket to ticket: moments, and the residual that error feedback adds to the next
 * delta (Karimireddy et al. 2019; rules C4 and T5). A residual is provisional until the packed delta's answer is known:
 *
 * | the answer                    | outcome | moments | residual                                             |
 * |-------------------------------|---------|---------|------------------------------------------------------|
 * | receipt                       | taken   | stay    | stays: what compression left out                     |
 * | stale, lease-expired          | late    | stay    | a part of what was sent is added back, since nothing |
 * |                               |         |         | of it was taken; the second time in a row, only of   |
 * |                               |         |         | what is newer                                        |
 * | not-finite, norm-too-large    | invalid | none    | none: a state that led here is not to be trusted     |
 * | any other refusal             | lost    | stay    | none: the server will not take this delta later      |
 * | no answer until the lease end | lost    | stay    | none: it may have been taken, and what is sent twice |
 * |                               |         |         | hurts more than what is lost once                    |
 * | the ticket was not finished   |         | stay    | stays                                                |
 *
 * A fresh ticket is computed without either and leaves an older volunteer's moments as they were; its own
 * compression error joins the residual. `decay` is the part of a residual that is kept from a version to the next.
 */
export function reduce(state: State, event: Event, decay: number): Reduced {
  switch (event.type) {
    case "restored": {
      const { left, inner } = event;
      const found = left !== undefined;
      return { state: { ...state, left, inner, young: found, residualOnDisk: found, late: undefined } };
    }
    case "begun": {
      const { version, fresh, inner } = event.ticket;
      const aged = ageTo(state, version);
      return {
        state: { ...aged, aside: fresh && event.moments, fresh, inner },
        residual: { factor: remaining(aged, state.age, decay) },
      };
    }
    case "packed": {
      const left = { version: event.ticket.version, after: event.ticket.id };
      return { state: { ...state, left, young: true, unsaved: true, fresh: false } };
    }
    case "sending":
      return { state: { ...state, residualOnDisk: false } };
    case "settled":
      return settle(state, event, decay);
    case "saved":
      return { state: { ...state, unsaved: false, residualOnDisk: true } };
    case "parked":
      return { state: { ...state, aside: true } };
    case "forgotten":
      return { state: dropped(state) };
  }
}

function settle(before: State, event: Extract<Event, { type: "settled" }>, decay: number): Reduced {
  if (event.outcome === "invalid") return { state: dropped(before) };
  if (event.outcome === "taken") return { state: { ...before, late: undefined } };
  // A server that trains a fresh ticket again must get the same, so nothing is put into one.
  const open = before.aside || !before.fresh;
  if (event.outcome !== "late") {
    const state = { ...before, late: undefined, unsaved: true };
    return { state, ...(open && { residual: { factor: 0 } }) };
  }
  const { late } = before;
  const shareOf = (made: Age, share: number) => LATE_PART * remaining(before, made, decay) * share;
  const older = (late?.shares ?? []).map(({ frame, share }) => ({
    frame,
    share: shareOf(late!.made, -share),
  }));
  const plus = [{ frame: event.sent, share: shareOf(event.made, 1) }, ...older].slice(0, MAX_LATE);
  const state = { ...before, late: { shares: plus, made: before.age }, unsaved: true };
  return { state, ...(open && { residual: { factor: 1, plus } }) };
}

/** Uploads that are on their way know by the age what became of their time, so that stays. */
const dropped = ({ age, inner, young, fresh }: State): State => ({
  ...{ ...START, age, inner, young, fresh },
  residualOnDisk: false,
});

/** Lets the residual age to a version. */
function ageTo(state: State, version: number): State {
  if (state.left === undefined) return state;
  const versions = version - state.left.version;
  // A version before the residual's means that the run was rolled back: the residual belongs to what is gone.
  const gone = versions < 0 || versions > FORGET_AFTER;
  return {
    ...state,
    left: { ...state.left, version },
    young: false,
    age: {
      versions: state.age.versions + Math.max(versions, state.young ? 1 : 0),
      forgotten: state.age.forgotten + (gone ? 1 : 0),
    },
  };
}

/** The part that is left of what was added at an age. */
const remaining = ({ age }: State, { versions, forgotten }: Age, decay: number): number =>
  forgotten === age.forgotten ? decay ** (age.versions - versions) : 0;

/** Makes a change of a residual, where it lies. */
export function change(residual: Float32Array, { factor, plus }: Change): void {
  if (factor !== 1) for (let i = 0; i < residual.length; i++) residual[i]! *= factor;
  for (const { frame, share } of plus ?? []) addFrame(frame, residual, share);
}
