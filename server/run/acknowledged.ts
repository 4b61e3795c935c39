import { concat, utf8 } from "../../protocol/bytes.ts";
import { as, asInteger, asNumber, asText, parseJson } from "../../protocol/guards.ts";
import { type Hash, isHash } from "../../protocol/ids.ts";
import { donePart, type TicketTerms } from "../../protocol/ticket.ts";
import { decodeUpload, encodeUpload, stepsDone, type Upload, uploadTokens } from "../../protocol/upload.ts";
import type { Accepted } from "../coordinator/events.ts";
import type { Rules } from "../coordinator/rules.ts";
import { sixDigits } from "../lib/six-digits.ts";
import { joinRecord, splitMessage } from "../store/record-parts.ts";
import type { IndexedDelta } from "../store/store.ts";
import type { Facts } from "../trust/candidate.ts";

/** Characters of a network's name at most. */
const MAX_NETWORK_CHARS = 64;

/** A delta that a server has checked, and all that its receipt and its journal record are made from. */
export interface Acknowledged {
  readonly upload: Upload;
  /** SHA-256 of the frame. */
  readonly delta: Hash;
  /** The run clock when it was checked. */
  readonly at: number;
  /** Its L2 norm. */
  readonly norm: number;
  /** Names the sender's network, where that is known. */
  readonly from?: string | undefined;
}

/** One message, which ends with the frame: u32 length | JSON of this many bytes | the upload as it is sent. */
export function encodeAcknowledged({ upload, ...about }: Acknowledged): Uint8Array<ArrayBuffer> {
  const head = utf8(JSON.stringify(about));
  const envelope = encodeUpload(upload.ticket, upload.report, new Uint8Array());
  return concat(...joinRecord(head, envelope), upload.frame); // a long frame is copied once
}

/** Throws a ProtocolError for what no server of ours keeps. The frame is a view of the message. */
export function decodeAcknowledged(message: Uint8Array<ArrayBuffer>): Acknowledged {
  const { head, body } = splitMessage(message);
  const { delta, at, norm, from } = parseJson(head);
  return {
    upload: decodeUpload(body),
    delta: as(isHash, delta, "delta"),
    at: asInteger(at, "at", 0, Number.MAX_SAFE_INTEGER),
    norm: asNumber(norm, "norm", 0, Number.MAX_VALUE),
    ...(from !== undefined && { from: asText(from, "from", MAX_NETWORK_CHARS) }),
  };
}

/** What the index keeps of it: a receipt is made from that. `context`: tokens of a sequence. */
export const indexedOf = ({ upload, delta, at }: Acknowledged, context: number): IndexedDelta => ({
  ticket: upload.ticket.id,
  volunteer: upload.ticket.volunteer,
  delta,
  version: upload.ticket.version,
  tokens: uploadTokens(upload, context),
  accepted: at,
});

/** Its journal record's event, with its measurements. */
export function acceptedOf(
  { upload, delta, at, norm }: Acknowledged,
  { context, ranges }: Pick<Rules, "context" | "ranges">,
  facts: Facts | undefined,
): Accepted {
  const { ticket, report } = upload;
  const { id, volunteer, version, seed, issued } = ticket;
  return {
    ...{ type: "accepted", at, delta, ticket: id, volunteer, version },
    tokens: uploadTokens(upload, context),
    ...(facts && { facts }),
    position: ranges.positionOf(seed),
    took: Math.max(0, at - issued),
    report,
    ...askedOf(ticket, norm),
  };
}

/** The part of its ticket that was done. */
export const doneOfUpload = (upload: Upload) => donePart(upload.ticket, stepsDone(upload));

/** The terms of a ticket of a run on a clock, and its delta's norm. */
export function askedOf(ticket: TicketTerms, norm: number): Pick<Accepted, "asked" | "norm"> {
  const { steps, batch, trainFor, inner = "adamw", delta } = ticket;
  if (trainFor === undefined) return {};
  return {
    asked: { steps, batch, trainFor, inner, ...(delta && { delta }) },
    norm: sixDigits(norm),
  };
}
