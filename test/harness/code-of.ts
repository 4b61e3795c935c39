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

/** The same of what throws at once, for properties and lists that await nothing. */
export function codeThrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "accepted";
}
