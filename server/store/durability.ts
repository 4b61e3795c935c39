import { systemCode } from "../../model/lib/system-code.ts";
import { ProtocolError } from "../../protocol/errors.ts";

/**
 * Milliseconds after which a sender may try again after a failed write: an operator must make space, or mend the disk.
 */
const RETRY_MS = 10_000;

/** A file operation's error as the refusal it causes: nothing was kept, try again later. */
export function asRefusal(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT"
    ? new ProtocolError("no-space", "the server's disk is full", RETRY_MS)
    : new ProtocolError("not-durable", `the server could not write: ${String(error)}`, RETRY_MS);
}
