import { type CodecSpec, parseCodec } from "./codec/codec.ts";
import { as, asArray, asBoolean, asInteger, asNumber, type Json } from "./guards.ts";
import { type Signer, sign, verify } from "./identity.ts";
import {
  type Hash,
  isHash,
  isRunId,
  isSignature,
  isTicketId,
  isVolunteerKey,
  type RunId,
  type Signature,
  type TicketId,
  type VolunteerKey,
} from "./ids.ts";
import { MAX_BATCH, MAX_STEPS } from "./limits.ts";
import { id } from "./schema.ts";

/**
 * A lease signed by the server (rules T1 to T6): the only unit of work. It binds one volunteer, one version, one range of
 * text and the inner steps with their learning rates: exactly so many, or in a run on a clock at most so many.
 */
export interface TicketTerms {
  readonly run: RunId;
  /** The nonce: an upload carries it, once. */
  readonly id: TicketId;
  readonly volunteer: VolunteerKey;
  readonly version: number;
  /** The version's model hash: the volunteer checks its replica against it before the first step. */
  readonly hash: Hash;
  readonly shard: Hash;
  /** The range: the first of `steps × batch` windows of context + 1 tokens in the shard, wrapping at its end. */
  readonly window: number;
  /** Orders the windows and shifts them by a phase (model/data/batches.ts). */
  readonly seed: number;
  readonly steps: number;
  /** Sequences in each step's micro-batch. */
  readonly batch: number;
  /** One rate a step: the run's schedule by global tokens. */
  readonly rates: readonly number[];
  /** Starts from zero moments and no residual, so that anyone can recompute it. */
  readonly fresh: boolean;
  /** Milliseconds from issue until the range is given to another. Kept by the server's own monotonic clock. */
  readonly lease: number;
  /**
   * Milliseconds from the ticket's arrival, by the volunteer's own clock, after which no step begins; but one step is
   * always done. The upload says how many were ({@link stepsDone}). Absent: all of them are.
   */
  readonly trainFor?: number;
  /** The inner optimiser of its steps; absent: the manifest's. */
  readonly inner?: InnerName;
  /** The codec of its delta; absent: the manifest's. A slow link gets fewer bits. */
  readonly delta?: CodecSpec;
  /** The run clock at issue, in milliseconds: server time, never the volunteer's. */
  readonly issued: number;
}

/** AdamW, or Muon for the hidden matrices (rule L4). */
export type InnerName = "adamw" | "muon";

export const isInner = (value: unknown): value is InnerName => value === "adamw" || value === "muon";
export const inner = id(isInner);

/** Milliseconds of a day: no lease is longer. */
const MAX_DAY_MS = 86_400_000;

export interface Ticket extends TicketTerms {
  readonly signature: Signature;
}

export async function signTicket(signer: Signer, terms: TicketTerms): Promise<Ticket> {
  return { ...terms, signature: await sign(signer, "ticket", terms) };
}

/** Whether the server that holds `key` signed this ticket, every field of it. */
export async function verifyTicket(key: VolunteerKey, ticket: Ticket): Promise<boolean> {
  const { signature, ...terms } = ticket;
  return verify(key, "ticket", terms, signature);
}

/**
 * Reads the fields that a ticket and an audit share: the text, and the steps on it. `rated` says for how many steps there must
 * be a learning rate. Throws `bad-request`.
 */
export function parseAssignment(
  json: Json,
  of: "ticket" | "audit",
  rated: (steps: number, fresh: boolean) => number,
) {
  const steps = asInteger(json.steps, `${of}.steps`, 1, MAX_STEPS);
  const fresh = asBoolean(json.fresh, `${of}.fresh`);
  const rates = asArray(json.rates, `${of}.rates`, MAX_STEPS);
  const due = rated(steps, fresh);
  asInteger(rates.length, `${of}.rates.length`, due, due);
  return {
    run: as(isRunId, json.run, `${of}.run`),
    id: as(isTicketId, json.id, `${of}.id`),
    volunteer: as(isVolunteerKey, json.volunteer, `${of}.volunteer`),
    version: asInteger(json.version, `${of}.version`, 0, Number.MAX_SAFE_INTEGER),
    hash: as(isHash, json.hash, `${of}.hash`),
    shard: as(isHash, json.shard, `${of}.shard`),
    window: asInteger(json.window, `${of}.window`, 0, Number.MAX_SAFE_INTEGER),
    seed: asInteger(json.seed, `${of}.seed`, 0, 0xffff_ffff),
    steps,
    batch: asInteger(json.batch, `${of}.batch`, 1, MAX_BATCH),
    rates: rates.map((rate, i) => asNumber(rate, `${of}.rates[${i}]`, 0, 10)),
    fresh,
    ...(json.inner !== undefined && { inner: as(isInner, json.inner, `${of}.inner`) }),
    issued: asInteger(json.issued, `${of}.issued`, 0, Number.MAX_SAFE_INTEGER),
    signature: as(isSignature, json.signature, `${of}.signature`),
  };
}

/** Reads a ticket from JSON; unknown fields are dropped. Throws `bad-request`. */
export const parseTicket = (json: Json): Ticket => ({
  ...parseAssignment(json, "ticket", (steps) => steps),
  lease: asInteger(json.lease, "ticket.lease", 1, MAX_DAY_MS),
  ...(json.trainFor !== undefined && {
    trainFor: asInteger(json.trainFor, "ticket.trainFor", 0, MAX_DAY_MS),
  }),
  ...(json.delta !== undefined && { delta: parseCodec(json.delta, "ticket.delta") }),
});

/** Tokens of this many steps: what a delta's credit and its weight in the merge are counted from. */
export function ticketTokens(terms: Pick<TicketTerms, "steps" | "batch">, context: number): number {
  return terms.steps * terms.batch * context;
}

/** A ticket's first steps, as many as were done, and nothing of the others. */
export function donePart<T extends Pick<TicketTerms, "steps" | "rates">>(ticket: T, steps: number): T {
  return steps === ticket.steps ? ticket : { ...ticket, steps, rates: ticket.rates.slice(0, steps) };
}
