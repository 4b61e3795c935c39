import {
  createPrivateKey,
  createPublicKey,
  hash,
  type JsonWebKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { type Checks, type Signer, sign as signAs } from "../../protocol/identity.ts";
import type { Hash, VolunteerKey } from "../../protocol/ids.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { forgetOldest } from "./oldest.ts";

/** Volunteers' keys kept ready, about 1 KB each; the least recently used goes first. */
const MAX_KEYS = 4_096;

/** The SHA-256 of bytes, at once. */
export const sha256Now = (bytes: Uint8Array): Hash => hash("sha256", bytes, "hex") as Hash;
/** What is kept of a secret, to know it again. */
export const secretDigest = (secret: string): string => hash("sha256", secret, "hex");

/**
 * Hashes and signatures on the spot. WebCrypto's go through another thread each: for a delta of 300 kB the round
 * trips cost more processor time than the work itself, and thousands of them keep the event loop busy.
 */
export const nodeChecks: Checks = {
  sha256: sha256Now,
  verify(key, bytes, signature) {
    try {
      return verify(null, bytes, publicKeyOf(key), Buffer.from(signature, "base64url"));
    } catch {
      return false; // no point of the curve
    }
  },
};

/** Signs with an Ed25519 private key, a JWK. Throws what Node throws of a bad key. */
export function nodeSigner(key: JsonWebKey): Signer {
  const privateKey = createPrivateKey({ key, format: "jwk" });
  return (bytes) => sign(null, bytes, privateKey);
}

/**
 * Whether `signer` signed this ticket. Ed25519 is deterministic, so a server knows its own by signing again, in a third
 * of the time that verifying takes.
 */
export async function isOurs(signer: Signer, { signature, ...terms }: Ticket): Promise<boolean> {
  const ours = Buffer.from(await signAs(signer, "ticket", terms));
  const given = Buffer.from(signature);
  return ours.length === given.length && timingSafeEqual(ours, given);
}

const keys = new Map<VolunteerKey, KeyObject>();

function publicKeyOf(key: VolunteerKey): KeyObject {
  const known = keys.get(key);
  const found = known ?? createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key }, format: "jwk" });
  if (known !== undefined) keys.delete(key); // to the young end
  keys.set(key, found);
  forgetOldest(keys, MAX_KEYS);
  return found;
}
