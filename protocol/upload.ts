import { concat, u32Bytes, utf8 } from "./bytes.ts";
import { ProtocolError } from "./errors.ts";
import { asInteger, asNumber, asObject, asText, parseJson } from "./guards.ts";
import { MAX_ENVELOPE_BYTES, MAX_LABEL, MAX_LOSS } from "./limits.ts";
import { parseTicket, type Ticket, ticketTokens } from "./ticket.ts";

/**
 * The body of `POST /api/deltas` (rule D1): a little-endian u32 length, an envelope of that many bytes of
 * JSON `{ticket, report}`, then one delta frame (frame.ts). The request's signature covers all of it.
 */
export interface Upload {
  readonly ticket: Ticket;
  readonly report: Report;
  /** The delta frame's bytes, not yet decoded. */
  readonly frame: Uint8Array<ArrayBuffer>;
}

/**
 * A volunteer's report on its work. Audits compare the delta with `steps`, the median of all `trainMs` has a part in how
 * long rounds on a clock are; the rest is shown to the operator and trusted for nothing.
 */
export interface Report {
  /** Mean training loss over the ticket's steps, nats a token. */
  readonly loss: number;
  /** Milliseconds the inner steps took. */
  readonly trainMs: number;
  /** E.g. `webgpu`, `wasm ×2`, with the browser's name. */
  readonly device: string;
  /** Inner steps that were done, of a ticket that says for how long to train: audits hold the delta against them. */
  readonly steps?: number;
}

export function encodeUpload(ticket: Ticket, report: Report, frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const envelope = utf8(JSON.stringify({ ticket, report }));
  return concat(u32Bytes(envelope.length), envelope, frame);
}

/** Splits an upload. Throws `bad-frame`, `bad-json` or `bad-request`; copies nothing but the frame's view. */
export function decodeUpload(body: Uint8Array<ArrayBuffer>): Upload {
  if (body.length < 4) throw new ProtocolError("bad-frame", "an upload has at least its envelope's length");
  const length = new DataView(body.buffer, body.byteOffset, 4).getUint32(0, true);
  if (length > MAX_ENVELOPE_BYTES || 4 + length > body.length) {
    throw new ProtocolError("bad-frame", "the envelope's length does not fit the body");
  }
  const json = parseJson(body.subarray(4, 4 + length));
  const report = asObject(json.report, "report");
  const ticket = parseTicket(asObject(json.ticket, "ticket"));
  return {
    ticket,
    report: {
      loss: asNumber(report.loss, "report.loss", 0, MAX_LOSS),
      trainMs: asInteger(report.trainMs, "report.trainMs", 0, 86_400_000),
      device: asText(report.device, "report.device", MAX_LABEL),
      ...(ticket.trainFor !== undefined && {
        steps: asInteger(report.steps, "report.steps", 1, ticket.steps),
      }),
    },
    frame: body.subarray(4 + length),
  };
}

/** Inner steps that an upload's delta is made of. */
export const stepsDone = ({ ticket, report }: Pick<Upload, "ticket" | "report">): number =>
  ticket.trainFor === undefined ? ticket.steps : (report.steps ?? ticket.steps);

/** Tokens that an upload's delta was trained on. */
export const uploadTokens = (upload: Pick<Upload, "ticket" | "report">, context: number): number =>
  ticketTokens({ steps: stepsDone(upload), batch: upload.ticket.batch }, context);
