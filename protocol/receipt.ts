import { as, asInteger, type Json } from "./guards.ts";
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

/**
 * The server's signed word that a delta is durable (rule R1). The same upload sent again gets the same
 * receipt, byte for byte, also after a restart: every field comes from the journal.
 */
export interface ReceiptTerms {
  readonly run: RunId;
  readonly ticket: TicketId;
  readonly volunteer: VolunteerKey;
  /** SHA-256 of the frame. */
  readonly delta: Hash;
  readonly version: number;
  readonly tokens: number;
  /** The run clock at acceptance, in milliseconds. */
  readonly accepted: number;
}

export interface Receipt extends ReceiptTerms {
  readonly signature: Signature;
}

export async function signReceipt(signer: Signer, terms: ReceiptTerms): Promise<Receipt> {
  return { ...terms, signature: await sign(signer, "receipt", terms) };
}

export async function verifyReceipt(key: VolunteerKey, receipt: Receipt): Promise<boolean> {
  const { signature, ...terms } = receipt;
  return verify(key, "receipt", terms, signature);
}

export function parseReceipt(json: Json): Receipt {
  return {
    run: as(isRunId, json.run, "receipt.run"),
    ticket: as(isTicketId, json.ticket, "receipt.ticket"),
    volunteer: as(isVolunteerKey, json.volunteer, "receipt.volunteer"),
    delta: as(isHash, json.delta, "receipt.delta"),
    version: asInteger(json.version, "receipt.version", 0, Number.MAX_SAFE_INTEGER),
    tokens: asInteger(json.tokens, "receipt.tokens", 0, Number.MAX_SAFE_INTEGER),
    accepted: asInteger(json.accepted, "receipt.accepted", 0, Number.MAX_SAFE_INTEGER),
    signature: as(isSignature, json.signature, "receipt.signature"),
  };
}
