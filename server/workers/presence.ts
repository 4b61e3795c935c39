import { utf8 } from "../../protocol/bytes.ts";
import { asArray, asText, parseJson } from "../../protocol/guards.ts";

/**
 * Milliseconds between two signs of a worker, and for which one stands: a busy machine is late with them, and of a worker that
 * is gone NATS says at once that nobody waits.
 */
export const SIGN_MS = 1_000;
const MAX_AGE_MS = 10_000;
/** Workers that are counted, and bytes of a sign. */
const MAX_WORKERS = 256;
const MAX_SIGN_BYTES = 2_048;
const MAX_NAME = 200;

/** That a worker is there, and the kinds of job that it waits for. */
export interface Sign {
  readonly who: string;
  readonly kinds: readonly string[];
}

export const encodeSign = (sign: Sign): Uint8Array<ArrayBuffer> => utf8(JSON.stringify(sign));

/** Undefined for what no worker of ours says. */
function decodeSign(message: Uint8Array<ArrayBuffer>): Sign | undefined {
  if (message.length > MAX_SIGN_BYTES) return undefined;
  try {
    const { who, kinds } = parseJson(message);
    const named = asArray(kinds, "kinds", 16).map((kind) => asText(kind, "a kind", MAX_NAME));
    return { who: asText(who, "who", MAX_NAME), kinds: named };
  } catch {
    return undefined;
  }
}

/** The workers that are there, by their own signs. */
export class Presence {
  readonly #now: () => number;
  readonly #seen = new Map<string, { readonly at: number; readonly kinds: readonly string[] }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Returns the sign of a worker that was not there before. */
  hear(message: Uint8Array<ArrayBuffer>): Sign | undefined {
    const sign = decodeSign(message);
    if (sign === undefined) return undefined;
    this.#forget();
    const isNew = !this.#seen.has(sign.who);
    if (isNew && this.#seen.size >= MAX_WORKERS) return undefined;
    this.#seen.set(sign.who, { at: this.#now(), kinds: sign.kinds });
    return isNew ? sign : undefined;
  }

  /** Those that take a kind of job. */
  taking(kind: string): readonly string[] {
    this.#forget();
    return [...this.#seen].filter(([, { kinds }]) => kinds.includes(kind)).map(([who]) => who);
  }

  #forget(): void {
    const oldest = this.#now() - MAX_AGE_MS;
    for (const [who, { at }] of this.#seen) if (at < oldest) this.#seen.delete(who);
  }
}
