import { MAX_RETRY_AFTER_MS } from "./limits.ts";

/**
 * Every refusal has one code, on every route and in every decoder. A code is stable: clients, logs, metrics
 * and tests name it. The numbers are HTTP statuses.
 */
export const ERROR_STATUS = {
  "bad-request": 400,
  "bad-json": 400,
  "bad-frame": 400,
  "bad-signature": 401,
  "bad-ticket": 401,
  "server-nonce-expired": 401,
  "not-signed-in": 401,
  "foreign-origin": 403,
  "other-origin": 403,
  "not-your-ticket": 403,
  quarantined: 403,
  banned: 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "not-your-audit": 403,
  "audit-answered": 409,
  "audit-over": 410,
  "lease-expired": 410,
  "ticket-used": 409,
  "nonce-reused": 409,
  "other-run": 409,
  stale: 409,
  "future-version": 409,
  "id-taken": 409,
  "name-taken": 409,
  "code-used": 409,
  "wrong-offset": 409,
  "upload-exists": 409,
  "not-ready": 409,
  "too-large": 413,
  "bad-range": 416,
  "protocol-mismatch": 426,
  "unknown-type": 415,
  "empty-text": 422,
  "not-utf8": 422,
  "wrong-hash": 422,
  "unknown-codec": 422,
  "unknown-frame": 422,
  "wrong-codec": 422,
  "wrong-shape": 422,
  "not-finite": 422,
  "norm-too-large": 422,
  "too-many-requests": 429,
  "internal-error": 500,
  "run-paused": 503,
  "run-finished": 410,
  "no-run": 503,
  "no-work": 503,
  "not-durable": 503,
  "no-space": 507,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** The JSON body of every refusal. `message` is for a person; programs read `code`. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly retryAfterMs?: number };
}

/** A refusal, thrown where it is found and turned into an {@link ErrorBody} at the edge. */
export class ProtocolError extends Error {
  readonly code: ErrorCode;
  /** When the sender may try again, in milliseconds, {@link MAX_RETRY_AFTER_MS} at most; absent where trying again cannot help. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, retryAfterMs?: number) {
    super(message);
    this.name = "ProtocolError";
    this.code = code;
    this.retryAfterMs = retryAfterMs && Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }

  body(): ErrorBody {
    const { code, message, retryAfterMs } = this;
    return { error: retryAfterMs === undefined ? { code, message } : { code, message, retryAfterMs } };
  }
}

/** Whether a string is one of our codes (a peer's JSON is a stranger's word). */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_STATUS, value);
}

/** After which refusals trying again helps: with the same bytes, or only with a fresh request in their place. */
const RETRYABLE: Partial<Record<ErrorCode, "same" | "fresh">> = {
  "too-many-requests": "same",
  "server-nonce-expired": "same",
  "internal-error": "same",
  "run-paused": "same",
  "no-run": "same",
  "not-durable": "same",
  "no-space": "same",
  "no-work": "fresh",
  "nonce-reused": "fresh",
  "not-found": "fresh",
  quarantined: "fresh",
  banned: "fresh",
};

/**
 * Whether a refusal passes by waiting. `again` is what will be sent then: the same bytes, as with an upload that its
 * ticket names, or a fresh request.
 */
export function isRetryable(code: ErrorCode, again: "same" | "fresh"): boolean {
  const helps = RETRYABLE[code];
  return helps === "same" || (helps !== undefined && helps === again);
}
