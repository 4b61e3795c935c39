import { z } from "zod";
import { utf8 } from "../../protocol/bytes.ts";
import { type CodecSpec, parseCodec } from "../../protocol/codec/codec.ts";
import { type ErrorCode, isErrorCode } from "../../protocol/errors.ts";
import {
  type Hash,
  isHash,
  isSignature,
  isTicketId,
  isVolunteerKey,
  type Signature,
  type TicketId,
  type VolunteerKey,
} from "../../protocol/ids.ts";
import { isRunState, type RunState } from "../../protocol/manifest.ts";
import { type InnerName, isInner } from "../../protocol/ticket.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import { splitRecord } from "../store/record-parts.ts";
import { StoreError } from "../store/store.ts";

/**
 * The head of a journal record (store/record-parts.ts): an event as JSON, which keeps a double exactly, so that weights
 * read back to the bit. The record of an `accepted` event also has its delta's frame.
 *
 * Throws a TypeError for an event that would not read back (JSON makes null of NaN and ∞): in the journal it
 * would keep the run from ever being opened again.
 */
export function encodeEvent(event: DurableEvent): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(event);
  const readBack = schema.safeParse(JSON.parse(text));
  if (!readBack.success) {
    throw new TypeError(`this "${event.type}" event would not read back: ${readBack.error.message}`);
  }
  return utf8(text);
}

export interface JournalRecord {
  readonly event: DurableEvent;
  /** Empty for events without one, and for those whose frame was stripped. */
  readonly frame: Uint8Array<ArrayBuffer>;
}

/** Reads a record. Throws a StoreError when it is none of ours. */
export function decodeRecord(record: Uint8Array<ArrayBuffer>): JournalRecord {
  const { head, frame } = splitRecord(record);
  const parsed = schema.safeParse(jsonOf(head));
  if (!parsed.success) throw new StoreError(`a journal record is no event: ${parsed.error.message}`);
  return { event: parsed.data, frame };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new StoreError("a journal record is no event: it is not JSON");
  }
}

const hash = z.custom<Hash>(isHash);
const ticket = z.custom<TicketId>(isTicketId);
const volunteer = z.custom<VolunteerKey>(isVolunteerKey);
const isCodec = (value: unknown): value is CodecSpec => {
  if (value === undefined) return false; // most deltas name none: an error for each would cost more than all else of it
  try {
    parseCodec(value, "delta");
    return true;
  } catch {
    return false;
  }
};
const count = z.number().int().min(0);

const schema: z.ZodType<DurableEvent> = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("created"),
    at: count,
    hash,
    genesis: z.record(z.string(), z.unknown()),
    paused: z.literal(true).exactOptional(),
  }),
  z.object({
    type: z.literal("accepted"),
    at: count,
    ticket,
    volunteer,
    delta: hash,
    version: count,
    tokens: count,
    position: count,
    took: count,
    report: z.object({
      loss: z.number(),
      trainMs: count,
      device: z.string(),
      steps: count.exactOptional(),
    }),
    asked: z
      .object({
        steps: count,
        batch: count,
        trainFor: count,
        inner: z.custom<InnerName>(isInner),
        delta: z.custom<CodecSpec>(isCodec).exactOptional(),
      })
      .exactOptional(),
    norm: z.number().exactOptional(),
    facts: z
      .object({
        size: z.number(),
        tensors: z.array(z.number()).exactOptional(),
        agreement: z.number().exactOptional(),
        copies: ticket.exactOptional(),
        from: z.string().exactOptional(),
      })
      .exactOptional(),
    refused: z.custom<ErrorCode>(isErrorCode).exactOptional(),
  }),
  z.object({
    type: z.literal("closed"),
    at: count,
    version: count,
    merged: z.array(z.object({ ticket, weight: z.number(), tokens: count.exactOptional() })),
    total: z.number().exactOptional(),
    inner: z.literal("muon").exactOptional(),
    crowd: z.union([z.literal(true), z.number().gt(0).lt(1)]).exactOptional(),
    discarded: z.array(ticket).exactOptional(),
  }),
  z.object({
    type: z.literal("published"),
    at: count,
    version: count,
    hash,
    diff: hash,
    diffBytes: count,
    norm: z.number().exactOptional(),
    record: hash,
    signature: z.custom<Signature>(isSignature),
  }),
  z.object({
    type: z.literal("evaluated"),
    at: count,
    version: count,
    tokens: count,
    loss: z.number(),
    sample: z.string(),
    added: z.number().exactOptional(),
    written: z.array(z.string()).exactOptional(),
    right: count.exactOptional(),
  }),
  z.object({ type: z.literal("state"), at: count, state: z.custom<RunState>(isRunState) }),
  z.object({
    type: z.literal("audited"),
    at: count,
    ticket,
    volunteer,
    verdict: z.enum(["good", "bad", "unclear"]),
    reason: z.enum(["gain", "no-gain", "harm", "copy", "recomputed", "mismatch"]),
    on: hash.exactOptional(),
    gain: z.number().exactOptional(),
    forfeits: count.exactOptional(),
  }),
  z.object({
    type: z.literal("settled"),
    at: count,
    ticket,
    tokens: count,
    right: z.array(volunteer),
    wrong: z.array(volunteer),
    forfeits: count.exactOptional(),
    by: z.enum(["agreement", "server"]),
  }),
  z.object({
    type: z.literal("sampled"),
    at: count,
    version: count,
    effects: z.array(
      z.object({ ticket, volunteer, effect: z.number(), parts: z.array(z.number()).exactOptional() }),
    ),
  }),
  z.object({
    type: z.literal("rolled-back"),
    at: count,
    version: count,
    to: count,
    hash,
    reason: z.enum(["operator", "held-out loss"]),
    record: hash,
    signature: z.custom<Signature>(isSignature),
  }),
  z.object({
    type: z.literal("text-added"),
    at: count,
    version: count,
    from: count,
    text: hash,
    tokens: count,
  }),
  z.object({ type: z.literal("ruled"), at: count, volunteer, ruling: z.enum(["banned", "forgiven"]) }),
]);
