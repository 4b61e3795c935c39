/** The system's code of a failed call, e.g. `ENOENT`; undefined for another kind of error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** For a promise's `catch`: undefined for a file or directory that is not there; throws every other error. */
export function unlessMissing(error: unknown): undefined {
  if (systemCode(error) !== "ENOENT") throw error;
}
