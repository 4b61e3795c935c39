import { type Signer, sign, verify } from "./identity.ts";
import { isHash, isRunId, isSignature, isTicketId, isVolunteerKey, type VolunteerKey } from "./ids.ts";
import { count, id, message } from "./schema.ts";

/**
 * The server's signed word that a delta is durable (rule R1). The same upload sent again gets the same
 * receipt, byte for byte, also after a restart: every field comes from the journal.
 */
export const parseReceipt = message({
  run: id(isRunId),
  ticket: id(isTicketId),
  volunteer: id(isVolunteerKey),
  /** SHA-256 of the frame. */
  delta: id(isHash),
  version: count,
  tokens: count,
  /** The run clock at acceptance, in milliseconds. */
  accepted: count,
  signature: id(isSignature),
});
export type Receipt = ReturnType<typeof parseReceipt>;
export type ReceiptTerms = Omit<Receipt, "signature">;

export async function signReceipt(signer: Signer, terms: ReceiptTerms): Promise<Receipt> {
  return { ...terms, signature: await sign(signer, "receipt", terms) };
}

export async function verifyReceipt(key: VolunteerKey, receipt: Receipt): Promise<boolean> {
  const { signature, ...terms } = receipt;
  return verify(key, "receipt", terms, signature);
}
