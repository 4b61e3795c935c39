import { type CodecSpec, parseCodec } from "./codec/codec.ts";
import { as, asInteger, type Json } from "./guards.ts";
import { type Signer, sign, verify } from "./identity.ts";
import {
  type Hash,
  isHash,
  isTicketId,
  type RunId,
  type Signature,
  type TicketId,
  type VolunteerKey,
} from "./ids.ts";
import { MAX_LOSS, MAX_OBJECT_BYTES } from "./limits.ts";
import { id, message, number, object, optional } from "./schema.ts";
import { parseAssignment, type TicketTerms } from "./ticket.ts";

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

/** Of the delta's ticket. */
type OfTicket = Pick<
  TicketTerms,
  "version" | "hash" | "shard" | "window" | "seed" | "steps" | "batch" | "fresh" | "inner"
>;

/**
 * An audit that volunteers make (rules AU5 to AU8), signed by the server for the purpose `audit`. It names everything that is
 * measured, and neither the delta's sender nor its ticket.
 */
export interface AuditTerms extends OfTicket {
  readonly run: RunId;
  readonly id: TicketId;
  /** The volunteer that is to make it. */
  readonly volunteer: VolunteerKey;
  /** How many of the steps the delta is made of. */
  readonly done: number;
  /** One a step where the ticket is fresh and recomputed; else none. */
  readonly rates: readonly number[];
  readonly delta: CodecSpec;
  /** SHA-256 and bytes of the frame to fetch. */
  readonly frame: Hash;
  readonly bytes: number;
  /** The shard of other text. */
  readonly other: Hash;
  /** u32: draws the text to look at. */
  readonly draw: number;
  /** Micro-batches to look at of either text. */
  readonly batches: number;
  /** Milliseconds from issue until another volunteer is asked. */
  readonly lease: number;
  readonly issued: number;
}

export interface AuditTicket extends AuditTerms {
  readonly signature: Signature;
}

/** An auditor's answer. */
export interface AuditAnswer {
  readonly audit: TicketId;
  readonly measured: Measured;
}

/** Micro-batches of one look, at most. */
const MAX_LOOK = 16;
/** Milliseconds of an audit's lease, at most. */
const MAX_AUDIT_LEASE_MS = 3_600_000;
/** 1 − the cosine of opposite deltas. */
const MAX_DISTANCE = 2;
/** Times that a sent delta may be as long as a recomputed one. */
const MAX_RATIO = Number.MAX_VALUE;

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
  const assignment = parseAssignment(json, "audit", (steps, fresh) => (fresh ? steps : 0));
  return {
    ...assignment,
    done: asInteger(json.done, "audit.done", 1, assignment.steps),
    delta: parseCodec(json.delta, "audit.delta"),
    frame: as(isHash, json.frame, "audit.frame"),
    bytes: asInteger(json.bytes, "audit.bytes", 1, MAX_OBJECT_BYTES),
    other: as(isHash, json.other, "audit.other"),
    draw: asInteger(json.draw, "audit.draw", 0, 0xffff_ffff),
    batches: asInteger(json.batches, "audit.batches", 1, MAX_LOOK),
    lease: asInteger(json.lease, "audit.lease", 1, MAX_AUDIT_LEASE_MS),
  };
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
