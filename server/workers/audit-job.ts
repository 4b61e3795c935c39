import type { AuditJob } from "../../model/audit/measure.ts";
import { concat, utf8 } from "../../protocol/bytes.ts";
import { checkFrame, codecIn, decodeFrame } from "../../protocol/frame.ts";
import {
  as,
  asArray,
  asBoolean,
  asInteger,
  asNumber,
  asObject,
  type Json,
  parseJson,
} from "../../protocol/guards.ts";
import { isHash } from "../../protocol/ids.ts";
import { MAX_BATCH, MAX_LOSS, MAX_STEPS } from "../../protocol/limits.ts";
import { message, number, object, optional, type Reader } from "../../protocol/schema.ts";
import { isInner } from "../../protocol/ticket.ts";
import type { AuditOrder } from "../evaluate/ports.ts";
import { scaledBy } from "../run/looks.ts";
import { joinRecord, splitMessage } from "../store/record-parts.ts";
import type { Evidence } from "../trust/audit.ts";
import { parseModelPlace } from "./model-place.ts";

/** Micro-batches of one look. */
const MAX_LOOK = 16;
/** 1 − the cosine of opposite deltas, and some rounding. */
const MAX_DISTANCE = 2.001;
/** Bytes of an answer: a dozen numbers. */
export const MAX_EVIDENCE_BYTES = 4_096;

/** An audit to be made, as one message. */
export const encodeAudit = ({ frame, ...about }: AuditOrder): Uint8Array<ArrayBuffer> =>
  concat(...joinRecord(utf8(JSON.stringify(about)), frame));

/** Throws `bad-json` or `bad-request`. */
export function decodeAudit(message: Uint8Array<ArrayBuffer>): AuditOrder {
  const { head, body } = splitMessage(message);
  const json = parseJson(head);
  return {
    ticket: ticketIn(asObject(json.ticket, "ticket")),
    shard: as(isHash, json.shard, "shard"),
    model: parseModelPlace(json.model),
    frame: body.slice(),
    scale: asNumber(json.scale, "scale", 0, 1),
    seed: asInteger(json.seed, "seed", 0, 0xffff_ffff),
    batches: asInteger(json.batches, "batches", 1, MAX_LOOK),
  };
}

function ticketIn(json: Json): AuditOrder["ticket"] {
  const steps = asInteger(json.steps, "steps", 1, MAX_STEPS);
  const done = json.done === undefined ? steps : asInteger(json.done, "done", 1, steps);
  const fresh = asBoolean(json.fresh, "fresh");
  const rates = asArray(json.rates, "rates", MAX_STEPS);
  // What is trained again needs a rate for each step.
  if (fresh) asInteger(rates.length, "rates.length", done, MAX_STEPS);
  return {
    window: asInteger(json.window, "window", 0, Number.MAX_SAFE_INTEGER),
    seed: asInteger(json.seed, "ticket.seed", 0, 0xffff_ffff),
    steps,
    batch: asInteger(json.batch, "batch", 1, MAX_BATCH),
    rates: rates.map((rate) => asNumber(rate, "a rate", 0, 10)),
    fresh,
    ...(json.inner !== undefined && { inner: as(isInner, json.inner, "inner") }),
    ...(json.done !== undefined && { done }),
  };
}

/** The same as the auditor's question. Throws what {@link checkFrame} throws of a bad frame. */
export function jobOf(
  { model: _, shard: __, frame, scale, ...order }: AuditOrder,
  weights: Float32Array,
  shard: Uint16Array,
): AuditJob {
  checkFrame(frame, weights.length);
  return {
    ...{ ...order, weights, shard, own: false },
    delta: scaledBy(scale, decodeFrame(frame, weights.length)),
    codec: codecIn(frame, weights.length),
  };
}

/** What was measured, to the last bit. NaN and infinity are written by name, since JSON has no word for them. */
export const encodeEvidence = (evidence: Evidence): Uint8Array<ArrayBuffer> =>
  utf8(
    JSON.stringify(evidence, (_key, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    ),
  );

/** Rounding may leave a cosine a little above 1. */
const LEAST = -0.001;

const figure =
  (most: number): Reader<number> =>
  (value, field) =>
    value === "NaN" || value === "Infinity" ? Number(value) : asNumber(value, field, LEAST, most);

const change = object({
  // Of a published model, so that anything but a number says nothing of a delta.
  before: number(0, MAX_LOSS),
  after: figure(Number.MAX_VALUE),
  error: figure(Number.MAX_VALUE),
});
const evidence = message({
  assigned: change,
  gate: change,
  distance: optional(figure(MAX_DISTANCE)),
  shortened: optional(figure(MAX_DISTANCE)),
  length: optional(figure(Number.MAX_VALUE)),
});

/** Throws `bad-json` or `bad-request` for what no auditor measures of its own. */
export const decodeEvidence = (message: Uint8Array<ArrayBuffer>): Evidence => evidence(parseJson(message));
