import { ProtocolError } from "../../protocol/errors.ts";

/** The code of the ProtocolError that something throws or rejects with, or "accepted". */
export async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "accepted";
}
