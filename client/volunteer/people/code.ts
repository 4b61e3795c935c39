import { concat, fromBase64Url, toBase64Url, utf8 } from "../../../protocol/bytes.ts";
import type { Note } from "../../../protocol/code.ts";
import type { Identity } from "../../../protocol/identity.ts";
import { isPeerId, isVolunteerKey, type PeerId, type RunId } from "../../../protocol/ids.ts";

/**
 * What two pages make of a code that both know (rule U6). The code travels in a link's fragment, which no server is sent.
 * It names the box, and proves that a knock is from who read it. What is handed over is sealed for a key pair that the
 * reader drew for this once, so that a code which is found later, in a browser's history, opens nothing.
 */
export interface Code {
  /** 22 characters. */
  readonly text: string;
  readonly box: PeerId;
  readonly run: RunId;
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** A reader's key pair for one code. */
export interface Reader {
  readonly privateKey: CryptoKey;
  readonly knock: Note;
}

/** The code or what was handed over is not what it should be: another run's, mistyped, or changed on the way. */
export class WrongCode extends Error {
  override readonly name = "WrongCode";
}

const ECDH = { name: "ECDH", namedCurve: "P-256" } as const;
/** Bytes of a public key, uncompressed. */
const PUBLIC_BYTES = 65;
const IV_BYTES = 12;
/** Digits that both pages show. */
const DIGITS = 6;

/** Draws a code. */
export const drawCode = (run: RunId): Promise<Code> =>
  codeOf(crypto.getRandomValues(new Uint8Array(16)), run);

/** Reads one, alone or with the link around it. Throws {@link WrongCode}. */
export async function readCode(text: string, run: RunId): Promise<Code> {
  const found = /(?:^|#code=)([A-Za-z0-9_-]{22})$/.exec(text.trim())?.[1];
  if (found === undefined) throw new WrongCode("no code");
  return codeOf(fromBase64Url(found), run);
}

async function codeOf(secret: Uint8Array<ArrayBuffer>, run: RunId): Promise<Code> {
  const box = toBase64Url(await derive(secret, new Uint8Array(0), `box ${run}`, 16));
  if (!isPeerId(box)) throw new TypeError("16 bytes name a box");
  return { text: toBase64Url(secret), box, run, secret };
}

/** Draws a reader's key pair, and what it knocks with. */
export async function drawReader({ secret, run }: Code): Promise<Reader> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ECDH, false, ["deriveBits"]);
  const own = await rawOf(publicKey);
  return { privateKey, knock: [own, await proofOf(secret, run, own)].map(toBase64Url).join(".") };
}

/** Digits that the two pages show, of a code and a knock: a person sees that the other page is its own. */
export async function digitsOf({ secret, run }: Code, knock: Note): Promise<string> {
  const [own] = parts(knock, PUBLIC_BYTES, 32);
  const bytes = await derive(secret, own, `digits ${run}`, 8);
  const number = new DataView(bytes.buffer).getBigUint64(0) % 10n ** BigInt(DIGITS);
  return number
    .toString()
    .padStart(DIGITS, "0")
    .replace(/(?=...$)/, " ");
}

/** Throws {@link WrongCode} where a knock was made without the code. */
export async function requireKnock({ secret, run }: Code, knock: Note): Promise<void> {
  const [own, proof] = parts(knock, PUBLIC_BYTES, 32);
  const expected = await proofOf(secret, run, own);
  if (toBase64Url(expected) !== toBase64Url(proof)) throw new WrongCode("a knock without the code");
}

/** The identity, for who knocked alone. Its private key must be one that can be exported. */
export async function sealFor(code: Code, knock: Note, { key, privateKey }: Identity): Promise<Note> {
  await requireKnock(code, knock);
  const [theirs] = parts(knock, PUBLIC_BYTES, 32);
  const pair = await crypto.subtle.generateKey(ECDH, false, ["deriveBits"]);
  const ours = await rawOf(pair.publicKey);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const cipher = await cipherOf(code, pair.privateKey, theirs, [ours, theirs]);
  const secret = await crypto.subtle.exportKey("pkcs8", privateKey);
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: utf8(key) },
    cipher,
    secret,
  );
  return [ours, iv, utf8(key), new Uint8Array(sealed)].map(toBase64Url).join(".");
}

/** The identity that was handed over. Throws {@link WrongCode}. */
export async function openHanded(code: Code, { privateKey, knock }: Reader, handed: Note): Promise<Identity> {
  try {
    const [own] = parts(knock, PUBLIC_BYTES, 32);
    const [theirs, iv, keyBytes, sealed] = parts(handed, PUBLIC_BYTES, IV_BYTES);
    const cipher = await cipherOf(code, privateKey, theirs, [theirs, own]);
    const secret = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData: keyBytes },
      cipher,
      sealed,
    );
    const opened = await crypto.subtle.importKey("pkcs8", secret, "Ed25519", true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", opened);
    if (!isVolunteerKey(x) || x !== new TextDecoder().decode(keyBytes)) throw new WrongCode("another key");
    return { key: x, privateKey: opened };
  } catch {
    throw new WrongCode("what was handed over cannot be read");
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** A note's parts, of which the first have these lengths. Throws {@link WrongCode}. */
function parts(note: Note, ...lengths: readonly number[]): readonly [Bytes, Bytes, Bytes, Bytes] {
  let read: Bytes[];
  try {
    read = note.split(".").map(fromBase64Url);
  } catch {
    throw new WrongCode("no note");
  }
  if (lengths.some((length, i) => read[i]?.length !== length)) throw new WrongCode("no note");
  const empty = new Uint8Array(0);
  return [read[0] ?? empty, read[1] ?? empty, read[2] ?? empty, read[3] ?? empty];
}

const rawOf = async (key: CryptoKey): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.exportKey("raw", key));

const proofOf = (secret: Bytes, run: RunId, own: Bytes): Promise<Bytes> =>
  derive(secret, own, `knock ${run}`, 32);

/** HKDF with SHA-256 (RFC 5869). */
async function derive(secret: Bytes, salt: Bytes, purpose: string, bytes: number): Promise<Bytes> {
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt, info: utf8(`murmuration-code-v1 ${purpose}`) };
  return new Uint8Array(await crypto.subtle.deriveBits(how, base, 8 * bytes));
}

/** Of both pairs' shared secret and the code, for these two public keys. */
async function cipherOf(
  { secret, run }: Code,
  privateKey: CryptoKey,
  theirs: Bytes,
  both: readonly [Bytes, Bytes],
): Promise<CryptoKey> {
  const publicKey = await crypto.subtle.importKey("raw", theirs, ECDH, false, []);
  const shared = new Uint8Array(
    await crypto.subtle.deriveBits({ name: "ECDH", public: publicKey }, privateKey, 256),
  );
  const key = await derive(concat(secret, shared), concat(...both), `key ${run}`, 32);
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
}
