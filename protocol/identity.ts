import { fromBase64Url, toBase64Url, toHex } from "./bytes.ts";
import { canonicalBytes, type Purpose } from "./canonical.ts";
import type { Hash, Signature, VolunteerKey } from "./ids.ts";

/**
 * Hashes and Ed25519 signatures through WebCrypto, which browsers (in a secure context), Workers and Node
 * share. A private key made by {@link createIdentity} cannot be exported: IndexedDB stores the handle, and
 * no script, ours included, can read the bytes.
 */
export interface Identity {
  readonly key: VolunteerKey;
  readonly privateKey: CryptoKey;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Hash> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))) as Hash;
}

export async function createIdentity(extractable = false): Promise<Identity> {
  const pair = await crypto.subtle.generateKey("Ed25519", extractable, ["sign", "verify"]);
  return { key: await publicKeyText(pair.publicKey), privateKey: pair.privateKey };
}

/** The raw public key as text. */
export async function publicKeyText(publicKey: CryptoKey): Promise<VolunteerKey> {
  return toBase64Url(new Uint8Array(await crypto.subtle.exportKey("raw", publicKey))) as VolunteerKey;
}

/** Signs the canonical bytes of `value` for one purpose. Ed25519 is deterministic: same input, same text. */
export async function sign(privateKey: CryptoKey, purpose: Purpose, value: unknown): Promise<Signature> {
  const bytes = canonicalBytes(purpose, value);
  return toBase64Url(new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, bytes))) as Signature;
}

/** Whether `signature` is `key`'s over the canonical bytes of `value`. Never throws on a malformed key. */
export async function verify(
  key: VolunteerKey,
  purpose: Purpose,
  value: unknown,
  signature: Signature,
): Promise<boolean> {
  try {
    const publicKey = await crypto.subtle.importKey("raw", fromBase64Url(key), "Ed25519", true, ["verify"]);
    const bytes = canonicalBytes(purpose, value);
    return await crypto.subtle.verify("Ed25519", publicKey, fromBase64Url(signature), bytes);
  } catch {
    return false;
  }
}
