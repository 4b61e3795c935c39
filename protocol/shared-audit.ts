import { parseCodec } from "./codec/codec.ts";
import { asInteger, type Json } from "./guards.ts";
import { type Signer, sign, verify } from "./identity.ts";
import { isHash, isTicketId, type TicketId, type VolunteerKey } from "./ids.ts";
import { MAX_LOSS, MAX_OBJECT_BYTES, MAX_STEPS } from "./limits.ts";
import { id, integer, message, number, object, optional } from "./schema.ts";
import { ASSIGNMENT, requireRates } from "./ticket.ts";

/** A loss before a delta was applied to its version's weights, and after; nats a token. */
export interface Change {
  readonly before: number;
  readonly after: number;
  /** The standard error of their difference, by what it is on single sequences; absent or 0: it is certain. */
  readonly error?: number;
}

/** What an audit measures of a delta. In the engine's build without fused multiply-add it is the same everywhere, to the bit. */
export interface Measured {
  /** On text that its ticket names: what it says it was trained on. */
  readonly assigned: Change;
  /** On other text: gate text, which no volunteer sees; of an audit by volunteers, that of another ticket. */
  readonly gate: Change;
  /** Of a recomputed fresh ticket: 1 − the cosine of what was sent and what the auditor got. */
  readonly distance?: number;
  /** The same between the auditor's own and what it got with the last quarter of the steps left out. */
  readonly shortened?: number;
  /** Of a recomputed fresh ticket: the length of what was sent, as a part of what the auditor got. */
  readonly length?: number;
}

/** Micro-batches of one look, at most. */
const MAX_LOOK = 16;
/** Milliseconds of an audit's lease, at most. */
const MAX_AUDIT_LEASE_MS = 3_600_000;
/** 1 − the cosine of opposite deltas. */
const MAX_DISTANCE = 2;
/** Times that a sent delta may be as long as a recomputed one. */
const MAX_RATIO = Number.MAX_VALUE;

const audit = object({
  ...ASSIGNMENT,
  /** How many of the steps the delta is made of. */
  done: integer(1, MAX_STEPS),
  delta: parseCodec,
  /** SHA-256 and bytes of the frame to fetch. */
  frame: id(isHash),
  bytes: integer(1, MAX_OBJECT_BYTES),
  /** The shard of other text. */
  other: id(isHash),
  /** u32: draws the text to look at. */
  draw: integer(0, 0xffff_ffff),
  /** Micro-batches to look at of either text. */
  batches: integer(1, MAX_LOOK),
  /** Milliseconds from issue until another volunteer is asked. */
  lease: integer(1, MAX_AUDIT_LEASE_MS),
});
/**
 * An audit that volunteers make (rules AU5 to AU8), signed by the server for the purpose `audit`. It names everything that is
 * measured, and neither the delta's sender nor its ticket. It has a learning rate for each step where the ticket is fresh and
 * recomputed, and else none.
 */
export type AuditTicket = ReturnType<typeof audit>;
export type AuditTerms = Omit<AuditTicket, "signature">;

/** An auditor's answer. */
export interface AuditAnswer {
  readonly audit: TicketId;
  readonly measured: Measured;
}

export const isAuditTicket = (given: object): given is AuditTicket => "frame" in given && "other" in given;

export async function signAudit(signer: Signer, terms: AuditTerms): Promise<AuditTicket> {
  return { ...terms, signature: await sign(signer, "audit", terms) };
}

/** Whether the server that holds `key` signed this audit, every field of it. */
export async function verifyAudit(key: VolunteerKey, audit: AuditTicket): Promise<boolean> {
  const { signature, ...terms } = audit;
  return verify(key, "audit", terms, signature);
}

/** Reads an audit from JSON; unknown fields are dropped. Throws `bad-request`. */
export function parseAuditTicket(json: Json): AuditTicket {
  const read = audit(json, "audit");
  requireRates(read, "audit", read.fresh ? read.steps : 0);
  asInteger(read.done, "audit.done", 1, read.steps);
  return read;
}

/**
 * Measurements as they are reported and compared: within the bounds of an answer, and what is no number as bad as can be. A
 * delta may lead a loss anywhere.
 */
export function reportable({ assigned, gate, ...of }: Measured): Measured {
  const within = (value: number, most: number) =>
    Number.isNaN(value) ? most : Math.max(0, Math.min(value, most));
  const change = ({ before, after, error = 0 }: Change): Change => ({
    before: within(before, MAX_LOSS),
    after: within(after, MAX_LOSS),
    error: within(error, MAX_LOSS),
  });
  return {
    assigned: change(assigned),
    gate: change(gate),
    ...(of.distance !== undefined && { distance: within(of.distance, MAX_DISTANCE) }),
    ...(of.shortened !== undefined && { shortened: within(of.shortened, MAX_DISTANCE) }),
    ...(of.length !== undefined && { length: within(of.length, MAX_RATIO) }),
  };
}

const nats = number(0, MAX_LOSS);
const change = object({ before: nats, after: nats, error: nats });

/** Reads an auditor's answer; unknown fields are dropped. Throws `bad-request`. */
export const parseAuditAnswer: (json: Json) => AuditAnswer = message({
  audit: id(isTicketId),
  measured: object({
    assigned: change,
    gate: change,
    distance: optional(number(0, MAX_DISTANCE)),
    shortened: optional(number(0, MAX_DISTANCE)),
    length: optional(number(0, MAX_RATIO)),
  }),
});
