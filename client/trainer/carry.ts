import type { Moments } from "../../model/trainer.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import type { VolunteerState } from "../cache/entries.ts";

/**
 * What a volunteer carries from ticket to ticket, as pure functions: moments, and the residual that error
 * feedback adds to the next delta (Karimireddy et al. 2019; docs/PROTOCOL.md rules on deltas). The state
 * changes only when the server's answer is known.
 *
 * | the answer                    | moments           | residual                                          |
 * |-------------------------------|-------------------|---------------------------------------------------|
 * | receipt                       | the ticket's      | what compression left out                         |
 * | stale, lease-expired          | the ticket's      | the whole delta, for nothing of it was taken; at  |
 * |                               |                   | the second time in a row only the newer delta     |
 * | not-finite, norm-too-large    | none              | none: a state that led here is not to be trusted  |
 * | any other refusal             | the ticket's      | none: the server will not take this delta later   |
 * | no answer until the lease end | the ticket's      | none: it may have been taken, and what is sent    |
 * |                               |                   | twice hurts more than what is lost once           |
 * | the ticket was not finished   | as before         | as before                                         |
 *
 * A fresh ticket is computed without either and leaves an older volunteer's moments as they were; its
 * own compression error joins the residual.
 */
const FORGET_AFTER = 50;

/** What a finished ticket came to, before anyone else knows of it. */
export interface Trained {
  /** Loaded minus trained weights, flat. */
  readonly delta: Float32Array;
  readonly moments: Moments;
}

/** A delta made ready to send, and what is carried on for each answer. */
export interface Parcel {
  /** The dense4 frame of delta plus residual. */
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly taken: VolunteerState;
  readonly late: VolunteerState;
  readonly refused: VolunteerState;
}

/** The moments to start a ticket from: none for a fresh one. */
export const momentsFor = (state: VolunteerState | undefined, ticket: Pick<TicketTerms, "fresh">) =>
  ticket.fresh ? undefined : state?.moments;

/** Adds the residual to a delta and compresses it. Throws ProtocolError `not-finite`. */
export function pack(
  trained: Trained,
  state: VolunteerState | undefined,
  ticket: Pick<TicketTerms, "version" | "fresh">,
  decay: number,
): Parcel {
  const { version, fresh } = ticket;
  const residual = agedResidual(state, version, decay);
  const values = residual === undefined || fresh ? trained.delta : sum(trained.delta, residual);
  const frame = encodeFrame("dense4", values);
  const decoded = decodeFrame(frame, values.length);
  const left = values.map((value, i) => value - decoded[i]!);
  const moments = fresh && state?.moments !== undefined ? state.moments : trained.moments;
  return {
    frame,
    taken: {
      version,
      moments,
      residual: fresh && residual !== undefined ? sum(left, residual) : left,
      unsent: false,
    },
    late: { version, moments, residual: state?.unsent ? trained.delta : values, unsent: true },
    refused: { version, moments, residual: undefined, unsent: false },
  };
}

/** What is carried on after a refusal with this code; undefined for nothing at all. */
export function afterRefusal(parcel: Parcel, code: ErrorCode): VolunteerState | undefined {
  switch (code) {
    case "stale":
    case "lease-expired":
      return parcel.late;
    case "not-finite":
    case "norm-too-large":
      return undefined;
    default:
      return parcel.refused;
  }
}

/**
 * The residual as it counts at `version`: decayed once for each version since it was left (at least once), and
 * forgotten after {@link FORGET_AFTER}, when the model it was meant for is long gone.
 */
function agedResidual(
  state: VolunteerState | undefined,
  version: number,
  decay: number,
): Float32Array | undefined {
  if (state?.residual === undefined) return undefined;
  // A version before the residual's means that the run was rolled back: the residual belongs to what is gone.
  const age = version - state.version;
  if (age < 0 || age > FORGET_AFTER) return undefined;
  const factor = decay ** Math.max(1, age);
  return state.residual.map((value) => value * factor);
}

const sum = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value + b[i]!);
