import { readFile } from "node:fs/promises";
import { unlessMissing } from "../../model/lib/system-code.ts";
import { parseJson } from "../../protocol/guards.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { isVolunteerKey } from "../../protocol/ids.ts";
import { replaceFile } from "../cache/files.ts";

/**
 * The volunteer's key pair in a file (a JWK, readable by its owner alone), made on first use. A file that is
 * there but holds no such key is an error: it may be somebody's key that we should not overwrite.
 */
export async function identityFile(path: string): Promise<Identity> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    unlessMissing(error);
    const identity = await createIdentity(true);
    const jwk = await crypto.subtle.exportKey("jwk", identity.privateKey);
    await replaceFile(path, new TextEncoder().encode(`${JSON.stringify(jwk)}\n`));
    return identity;
  }
  const jwk = parseJson(bytes);
  if (!isVolunteerKey(jwk.x)) throw new Error(`${path} holds no Ed25519 key`);
  return { key: jwk.x, privateKey: await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]) };
}
