import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { canonicalJson, fromBase64Url, sha256, toBase64Url, utf8 } from "./bytes.js";

/** Ed25519 signatures: rules S1 to S4 of docs/PROTOCOL.md. */

/** The fields that each signature covers, in no order, where they are there: the rules T1, R1, G1 and K1. */
const TERMS = {
  ticket: [
    ...["run", "id", "volunteer", "version", "hash", "shard", "window"],
    ...["seed", "steps", "batch", "rates", "fresh", "lease", "issued", "trainFor", "inner", "delta"],
  ],
  receipt: ["run", "ticket", "volunteer", "delta", "version", "tokens", "accepted"],
  version: ["run", "version", "previous", "model", "diff", "step", "merged"],
  chunks: ["run", "object", "hash", "length", "size", "chunks"],
};

/** The bytes that are signed for a purpose (rule S1). */
export const signedBytes = (purpose, value) =>
  utf8(`murmuration-${purpose}-v${purpose === "request" ? 2 : 1}\n${canonicalJson(value)}`);

/** A volunteer's key pair, drawn or from a 32-byte seed. */
export function keyPair(seed) {
  // The seed in PKCS #8 (RFC 8410 §7): a constant, then the seed.
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const privateKey = seed
    ? createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" })
    : generateKeyPairSync("ed25519").privateKey;
  return { privateKey, key: createPublicKey(privateKey).export({ format: "jwk" }).x };
}

export const signFor = (privateKey, purpose, value) =>
  toBase64Url(sign(null, signedBytes(purpose, value), privateKey));

/** Whether `key` signed these bytes. */
export function fits(key, bytes, signature) {
  try {
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key }, format: "jwk" });
    return verify(null, bytes, publicKey, fromBase64Url(signature));
  } catch {
    return false; // no point of the curve
  }
}

/** The terms of a signed answer: what its rule names, whatever else the answer carries (rule S4). */
export const termsOf = (purpose, answer) =>
  Object.fromEntries(
    TERMS[purpose].filter((field) => field in answer).map((field) => [field, answer[field]]),
  );

/** Throws where `answer` is not signed by the server for this purpose. */
export function requireSigned(server, purpose, answer) {
  if (!fits(server, signedBytes(purpose, termsOf(purpose, answer)), answer.signature)) {
    throw new Error(`the signature of this ${purpose} does not fit`);
  }
}

export const drawNonce = () => toBase64Url(randomBytes(16));

/**
 * The headers of a signed request (rule S2). `asked` is `{method, path, body, nonce}`, `recipient` the run, the server's key, the
 * origin and the newest server nonce.
 */
export function signedHeaders({ privateKey, key }, asked, { run, server, origin, serverNonce }) {
  const value = { ...asked, body: sha256(asked.body), run, server, origin, serverNonce };
  return {
    "murmuration-key": key,
    "murmuration-nonce": asked.nonce,
    "murmuration-run": run,
    "murmuration-origin": origin,
    "murmuration-server-nonce": serverNonce,
    "murmuration-signature": signFor(privateKey, "request", value),
  };
}
