import type { JsonWebKey, webcrypto } from "node:crypto";
import { utf8 } from "../../protocol/bytes.ts";
import { parseJson } from "../../protocol/guards.ts";
import { type Identity, publicKeyText, type Signer } from "../../protocol/identity.ts";
import { nodeSigner } from "../lib/signatures.ts";
import { type Store, StoreError } from "../store/store.ts";

const NAME = "server.key";
const ED25519 = "Ed25519";

export interface ServerIdentity extends Identity {
  /** For tickets and receipts, of which there are many. */
  readonly signer: Signer;
}

/**
 * The run's own Ed25519 key, which signs tickets and receipts: a JWK only its owner may read; made once. `file` is what an
 * operator knows it by.
 */
export async function serverIdentity(
  store: Pick<Store, "get" | "put">,
  file: string = NAME,
): Promise<ServerIdentity> {
  const stored = await store.get("run", NAME);
  if (stored !== undefined) return importKey(parsed(stored, file), file);
  const pair = await crypto.subtle.generateKey(ED25519, true, ["sign", "verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
  await store.put("run", NAME, utf8(`${JSON.stringify(jwk)}\n`), "secret");
  return importKey(jwk, file);
}

function parsed(stored: Uint8Array, file: string): webcrypto.JsonWebKey {
  try {
    return parseJson(stored);
  } catch {
    throw new StoreError(`${file} is damaged: put it back from a backup; without it the run cannot go on`);
  }
}

async function importKey(jwk: webcrypto.JsonWebKey, file: string): Promise<ServerIdentity> {
  try {
    const privateKey = await crypto.subtle.importKey("jwk", jwk, ED25519, false, ["sign"]);
    const { kty, crv, x } = jwk;
    const open = { kty, crv, x, key_ops: ["verify"] } as webcrypto.JsonWebKey;
    const publicKey = await crypto.subtle.importKey("jwk", open, ED25519, true, ["verify"]);
    return { privateKey, key: await publicKeyText(publicKey), signer: nodeSigner(jwk as JsonWebKey) };
  } catch (error) {
    throw new StoreError(`${file} holds no Ed25519 private key: ${String(error)}`);
  }
}
