import { fromBase64Url, toBase64Url, toHex } from "./bytes.ts";
import { canonicalBytes, type Purpose } from "./canonical.ts";
import type { Hash, Signature, VolunteerKey } from "./ids.ts";

/**
 * Hashes and Ed25519 signatures through WebCrypto, which browsers (in a secure context), Workers and Node
 * share. A private key made by {@link createIdentity} cannot be exported unless that is asked for: IndexedDB stores the
 * handle, and no script, ours included, can read the bytes.
 */
export interface Identity {
  readonly key: VolunteerKey;
  readonly privateKey: CryptoKey;
}

/** Tries at making a key pair. */
const KEY_TRIES = 5;

/** Makes an Ed25519 signature: a key's handle, or a faster function. */
export type Signer = CryptoKey | ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array);

/** Hashes and verifies: WebCrypto by default, which costs a busy server a thread's round trip each. */
export interface Checks {
  sha256(bytes: Uint8Array<ArrayBuffer>): Hash | Promise<Hash>;
  /** False for a malformed key or signature as well. */
  verify(key: VolunteerKey, bytes: Uint8Array<ArrayBuffer>, signature: Signature): boolean | Promise<boolean>;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Hash> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))) as Hash;
}

export async function createIdentity(extractable = false): Promise<Identity> {
  const pair = await generateKeyPair(extractable);
  return { key: await publicKeyText(pair.publicKey), privateKey: pair.privateKey };
}

/**
 * Makes an Ed25519 key pair. WebKitGTK fails at one in 115 (13 of 1,500 with 2.50), with an `OperationError` that says no more, and
 * makes the next; whatever else a browser throws, it throws again.
 */
export async function generateKeyPair(extractable: boolean): Promise<CryptoKeyPair> {
  for (let tries = 1; ; tries++) {
    try {
      return await crypto.subtle.generateKey("Ed25519", extractable, ["sign", "verify"]);
    } catch (error) {
      const isChance = error instanceof DOMException && error.name === "OperationError";
      if (!isChance || tries === KEY_TRIES) throw error;
    }
  }
}

/** The raw public key as text. */
export async function publicKeyText(publicKey: CryptoKey): Promise<VolunteerKey> {
  return toBase64Url(new Uint8Array(await crypto.subtle.exportKey("raw", publicKey))) as VolunteerKey;
}

/** Signs the canonical bytes of `value` for one purpose. Ed25519 is deterministic: same input, same text. */
export async function sign(signer: Signer, purpose: Purpose, value: unknown): Promise<Signature> {
  const bytes = canonicalBytes(purpose, value);
  const signature =
    typeof signer === "function"
      ? signer(bytes)
      : new Uint8Array(await crypto.subtle.sign("Ed25519", signer, bytes));
  return toBase64Url(signature) as Signature;
}

/** Whether `signature` is `key`'s over the canonical bytes of `value`. Never throws on a malformed key. */
export async function verify(
  key: VolunteerKey,
  purpose: Purpose,
  value: unknown,
  signature: Signature,
  checks: Pick<Checks, "verify"> = WEB_CHECKS,
): Promise<boolean> {
  return checks.verify(key, canonicalBytes(purpose, value), signature);
}

export const WEB_CHECKS: Checks = {
  sha256,
  async verify(key, bytes, signature) {
    try {
      const publicKey = await crypto.subtle.importKey("raw", fromBase64Url(key), "Ed25519", true, ["verify"]);
      return await crypto.subtle.verify("Ed25519", publicKey, fromBase64Url(signature), bytes);
    } catch {
      return false;
    }
  },
};
