import { fromBase64Url, toBase64Url, utf8 } from "../../../protocol/bytes.ts";
import { as, asInteger, asText, parseJson } from "../../../protocol/guards.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { isRunId, isVolunteerKey, type RunId, type VolunteerKey } from "../../../protocol/ids.ts";

/**
 * A volunteer's key in a file, sealed with a passphrase: PBKDF2 with SHA-256 makes an AES-256-GCM key of it, and the head is
 * authenticated with what it seals, which is PKCS #8.
 */
interface Head {
  readonly format: typeof FORMAT;
  readonly run: RunId;
  readonly key: VolunteerKey;
  readonly kdf: typeof KDF;
  readonly iterations: number;
  /** Base64url, 16 bytes. */
  readonly salt: string;
  readonly cipher: typeof CIPHER;
  /** Base64url, 12 bytes. */
  readonly iv: string;
}

const FORMAT = "murmuration-key-1";
const KDF = "PBKDF2-SHA-256";
const CIPHER = "AES-256-GCM";
/** Rounds of SHA-256: OWASP's number for PBKDF2 of 2023, some tenths of a second. */
const ITERATIONS = 600_000;
/** Fewer protect nothing, and more would hold the page up on a stranger's word. */
const MIN_ITERATIONS = 100_000;
const MAX_ITERATIONS = 10_000_000;
/** Bytes of a file; ours have about 450. */
export const MAX_KEY_FILE = 4_096;
/** Characters of a passphrase. */
export const MIN_PASSPHRASE = 8;

/** Why a key was not written or read. */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
  readonly code: KeyFileCode;

  constructor(code: KeyFileCode) {
    super(code);
    this.code = code;
  }
}

export type KeyFileCode =
  /** It was made by a release whose keys no script can read. */
  | "not-exportable"
  /** Not a file of ours, or a damaged one. */
  | "bad-key-file"
  /** A key of another run, where it is nobody's. */
  | "other-run"
  | "wrong-passphrase";

/** The file's text. Throws a {@link KeyFileError} `not-exportable`. */
export async function sealKey(
  { key, privateKey }: Identity,
  run: RunId,
  passphrase: string,
  iterations = ITERATIONS,
): Promise<string> {
  if (!privateKey.extractable) throw new KeyFileError("not-exportable");
  const secret = await crypto.subtle.exportKey("pkcs8", privateKey);
  const draw = (bytes: number) => toBase64Url(crypto.getRandomValues(new Uint8Array(bytes)));
  const head: Head = {
    ...{ format: FORMAT, run, key, kdf: KDF, iterations, salt: draw(16) },
    ...{ cipher: CIPHER, iv: draw(12) },
  };
  const sealed = await crypto.subtle.encrypt(cipherOf(head), await keyOf(passphrase, head), secret);
  return `${JSON.stringify({ ...head, sealed: toBase64Url(new Uint8Array(sealed)) }, null, 2)}\n`;
}

/** The key of a file, for that run. Throws a {@link KeyFileError}. */
export async function openKey(file: Uint8Array, run: RunId, passphrase: string): Promise<Identity> {
  const { head, sealed } = parseFile(file);
  if (head.run !== run) throw new KeyFileError("other-run");
  const cipher = await keyOf(passphrase, head);
  const secret = await crypto.subtle.decrypt(cipherOf(head), cipher, sealed).catch(() => {
    throw new KeyFileError("wrong-passphrase"); // or changed bytes: a sealed text does not tell which
  });
  const privateKey = await crypto.subtle
    .importKey("pkcs8", secret, "Ed25519", true, ["sign"])
    .catch(() => bad());
  if ((await publicOf(privateKey)) !== head.key) bad();
  return { key: head.key, privateKey };
}

function parseFile(file: Uint8Array): { readonly head: Head; readonly sealed: Uint8Array<ArrayBuffer> } {
  if (file.length > MAX_KEY_FILE) bad();
  try {
    const json = parseJson(file);
    const exactly = <T extends string>(field: string, wanted: T) =>
      as((value): value is T => value === wanted, json[field], field);
    const bytes = (field: string, length: number) => {
      const text = asText(json[field], field, 100);
      return fromBase64Url(text).length === length ? text : bad();
    };
    const head: Head = {
      format: exactly("format", FORMAT),
      run: as(isRunId, json.run, "run"),
      key: as(isVolunteerKey, json.key, "key"),
      kdf: exactly("kdf", KDF),
      iterations: asInteger(json.iterations, "iterations", MIN_ITERATIONS, MAX_ITERATIONS),
      salt: bytes("salt", 16),
      cipher: exactly("cipher", CIPHER),
      iv: bytes("iv", 12),
    };
    return { head, sealed: fromBase64Url(asText(json.sealed, "sealed", 1_000)) };
  } catch {
    return bad();
  }
}

function bad(): never {
  throw new KeyFileError("bad-key-file");
}

/** The same passphrase on another keyboard is the same: compatible forms are one. */
async function keyOf(passphrase: string, { salt, iterations }: Head): Promise<CryptoKey> {
  const material = utf8(passphrase.normalize("NFKC"));
  const base = await crypto.subtle.importKey("raw", material, "PBKDF2", false, ["deriveKey"]);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt: fromBase64Url(salt), iterations };
  const aes = { name: "AES-GCM", length: 256 };
  return crypto.subtle.deriveKey(derivation, base, aes, false, ["encrypt", "decrypt"]);
}

const cipherOf = (head: Head) => ({
  ...{ name: "AES-GCM", iv: fromBase64Url(head.iv) },
  additionalData: utf8(JSON.stringify(head)),
});

/** Ed25519's public key, which its private key's JWK holds beside it. */
async function publicOf(privateKey: CryptoKey): Promise<string | undefined> {
  return (await crypto.subtle.exportKey("jwk", privateKey)).x;
}
