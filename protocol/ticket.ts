import { parseCodec } from "./codec/codec.ts";
import { asInteger, type Json } from "./guards.ts";
import { type Signer, sign, verify } from "./identity.ts";
import { isHash, isRunId, isSignature, isTicketId, isVolunteerKey, type VolunteerKey } from "./ids.ts";
import { MAX_BATCH, MAX_STEPS } from "./limits.ts";
import { count, flag, id, integer, list, number, object, optional } from "./schema.ts";

/** AdamW, or Muon for the hidden matrices (rule L4). */
export type InnerName = "adamw" | "muon";

export const isInner = (value: unknown): value is InnerName => value === "adamw" || value === "muon";
export const inner = id(isInner);

/** Milliseconds of a day: no lease is longer. */
const MAX_DAY_MS = 86_400_000;

/** The fields that a ticket and an audit share: the text, and the steps on it. */
export const ASSIGNMENT = {
  run: id(isRunId),
  /** The nonce: an upload carries it, once. */
  id: id(isTicketId),
  volunteer: id(isVolunteerKey),
  version: count,
  /** The version's model hash: the volunteer checks its replica against it before the first step. */
  hash: id(isHash),
  shard: id(isHash),
  /** The range: the first of `steps × batch` windows of context + 1 tokens in the shard, wrapping at its end. */
  window: count,
  /** Orders the windows and shifts them by a phase (model/data/batches.ts). */
  seed: integer(0, 0xffff_ffff),
  steps: integer(1, MAX_STEPS),
  /** Sequences in each step's micro-batch. */
  batch: integer(1, MAX_BATCH),
  /** One rate a step: the run's schedule by global tokens. */
  rates: list(number(0, 10), MAX_STEPS),
  /** Starts from zero moments and no residual, so that anyone can recompute it. */
  fresh: flag,
  /** The inner optimiser of its steps; absent: the manifest's. */
  inner: optional(inner),
  /** The run clock at issue, in milliseconds: server time, never the volunteer's. */
  issued: count,
  signature: id(isSignature),
};

const ticket = object({
  ...ASSIGNMENT,
  /** Milliseconds from issue until the range is given to another. Kept by the server's own monotonic clock. */
  lease: integer(1, MAX_DAY_MS),
  /**
   * Milliseconds from the ticket's arrival, by the volunteer's own clock, after which no step begins; but one step is
   * always done. The upload says how many were ({@link stepsDone}). Absent: all of them are.
   */
  trainFor: optional(integer(0, MAX_DAY_MS)),
  /** The codec of its delta; absent: the manifest's. A slow link gets fewer bits. */
  delta: optional(parseCodec),
});
/**
 * A lease signed by the server (rules T1 to T6): the only unit of work. It binds one volunteer, one version, one range of
 * text and the inner steps with their learning rates: exactly so many, or in a run on a clock at most so many.
 */
export type Ticket = ReturnType<typeof ticket>;
export type TicketTerms = Omit<Ticket, "signature">;

export async function signTicket(signer: Signer, terms: TicketTerms): Promise<Ticket> {
  return { ...terms, signature: await sign(signer, "ticket", terms) };
}

/** Whether the server that holds `key` signed this ticket, every field of it. */
export async function verifyTicket(key: VolunteerKey, ticket: Ticket): Promise<boolean> {
  const { signature, ...terms } = ticket;
  return verify(key, "ticket", terms, signature);
}

/** Reads a ticket from JSON; unknown fields are dropped. Throws `bad-request`. */
export function parseTicket(json: Json): Ticket {
  const read = ticket(json, "ticket");
  requireRates(read, "ticket", read.steps);
  return read;
}

/** Throws `bad-request` for other than `due` learning rates. */
export function requireRates({ rates }: Pick<Ticket, "rates">, of: string, due: number): void {
  asInteger(rates.length, `${of}.rates.length`, due, due);
}

/** Tokens of this many steps: what a delta's credit and its weight in the merge are counted from. */
export function ticketTokens(terms: Pick<TicketTerms, "steps" | "batch">, context: number): number {
  return terms.steps * terms.batch * context;
}

/** A ticket's first steps, as many as were done, and nothing of the others. */
export function donePart<T extends Pick<TicketTerms, "steps" | "rates">>(ticket: T, steps: number): T {
  return steps === ticket.steps ? ticket : { ...ticket, steps, rates: ticket.rates.slice(0, steps) };
}
