import { ERROR_STATUS, type ErrorCode } from "../../../protocol/errors.ts";

/** Refusals that have words of their own for a visitor. */
const KINDS = {
  stale: "late",
  "audit-over": "late",
  "lease-expired": "expired",
  "ticket-used": "repeated",
  "nonce-reused": "repeated",
  "audit-answered": "repeated",
  "not-finite": "invalid",
  "norm-too-large": "large",
  "run-paused": "paused",
  "run-finished": "finished",
  quarantined: "quarantined",
  banned: "banned",
  "too-many-requests": "busy",
} as const satisfies Partial<Record<ErrorCode, string>>;

export type RefusalKind = (typeof KINDS)[keyof typeof KINDS];

/** Of all others a visitor needs to know whose fault it is, and the code for whoever they ask. */
export type CodedKind = "unread" | "unfit" | "outdated" | "server";

const isNamed = (code: ErrorCode): code is keyof typeof KINDS => Object.hasOwn(KINDS, code);

/** Why the server refused, as far as a visitor has words for it; undefined where the code itself has to be named. */
export const refusalKind = (code: ErrorCode): RefusalKind | undefined =>
  isNamed(code) ? KINDS[code] : undefined;

/** What a code that has no words of its own says by its HTTP status. */
export function codedKind(code: ErrorCode): CodedKind {
  const status = ERROR_STATUS[code];
  if (status >= 500) return "server";
  if (status === 422 || status === 426) return "outdated";
  return status === 400 || status >= 413 ? "unread" : "unfit";
}
