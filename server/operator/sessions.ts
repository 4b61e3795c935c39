import { randomBytes } from "node:crypto";
import { forgetOldest } from "../lib/oldest.ts";
import { secretDigest } from "../lib/signatures.ts";

/** A signed-in operator. */
export interface Session {
  /** The name that the link was issued to. */
  readonly name: string;
}

/** Milliseconds from sign-in until a session ends, used or not: a working day. */
export const SESSION_MS = 12 * 3_600_000;
/** Sessions open at once; the oldest is signed out for the next. */
const MAX_SESSIONS = 32;
const SECRET_BYTES = 32;

/**
 * The operators that are signed in. In memory only, so that a restart signs everybody out; and by digest, so that not
 * even a dump of that memory lets anybody in.
 */
export class Sessions {
  readonly #now: () => number;
  readonly #open = new Map<string, { readonly session: Session; readonly ends: number }>();

  /** `now` is monotonic, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Begins a session; returns the secret that is its cookie. */
  begin(session: Session): string {
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    this.#open.set(secretDigest(secret), { session, ends: this.#now() + SESSION_MS });
    forgetOldest(this.#open, MAX_SESSIONS);
    return secret;
  }

  find(secret: string): Session | undefined {
    const digest = secretDigest(secret);
    const found = this.#open.get(digest);
    if (found === undefined) return undefined;
    if (this.#now() < found.ends) return found.session;
    this.#open.delete(digest);
    return undefined;
  }

  end(secret: string): void {
    this.#open.delete(secretDigest(secret));
  }
}
