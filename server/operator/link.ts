import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asInteger, asText, parseJson } from "../../protocol/guards.ts";
import { MAX_LABEL } from "../../protocol/limits.ts";
import { secretDigest } from "../lib/signatures.ts";

/** Where the newest link's digest lies. Anybody who can write to the data directory is the operator anyway. */
const LINK_FILE = "operator-link.json";
/** Where a served directory says at which address it is served. */
const ADDRESS_FILE = "operator-address";

/** Bytes of a link's secret: nobody guesses 256 bits. */
const SECRET_BYTES = 32;
/** Milliseconds that a link can be used after it was issued: long enough to walk to another machine's browser. */
export const LINK_MS = 15 * 60_000;

/** How a link's secret comes to the page: in the fragment, which no server log and no referrer ever holds. */
export const linkOf = (origin: string, secret: string): string => `${origin}/operator#link=${secret}`;

/**
 * Makes the directory's one-time link: its secret. An older link that was not used is void. Only a digest is
 * stored, readable by its owner; `now` is the wall clock, since another process may redeem it.
 */
export async function issueLink(directory: string, name: string, now: number): Promise<string> {
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const entry = { digest: secretDigest(secret), expires: now + LINK_MS, name };
  const file = join(directory, LINK_FILE);
  await writeFile(`${file}.new`, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return secret;
}

/** Uses a link up: the name it was issued to, or undefined for a wrong, used or expired one. */
export async function redeemLink(
  directory: string,
  secret: string,
  now: number,
): Promise<string | undefined> {
  const file = join(directory, LINK_FILE);
  try {
    const json = parseJson(await readFile(file));
    const digest = asText(json.digest, "digest", 64);
    const expires = asInteger(json.expires, "expires", 0, Number.MAX_SAFE_INTEGER);
    const name = asText(json.name, "name", MAX_LABEL);
    if (!sameText(digest, secretDigest(secret))) return undefined;
    await unlink(file); // atomic, which rm() is not: whoever removes it has used it: of two at once the second finds nothing
    return now < expires ? name : undefined;
  } catch {
    return undefined; // no link, or a damaged file: there is nothing to redeem
  }
}

/** Tells `murmuration operator-link` where this directory is served. */
export const noteAddress = (directory: string, origin: string): Promise<void> =>
  writeFile(join(directory, ADDRESS_FILE), `${origin}\n`);

/** The address noted last, or undefined. */
export async function notedAddress(directory: string): Promise<string | undefined> {
  try {
    return (await readFile(join(directory, ADDRESS_FILE), "utf8")).trim();
  } catch {
    return undefined;
  }
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
