/** The value of the header `retry-after`, in whole seconds, for a wait in milliseconds. */
export const retryAfter = (ms: number): string => String(Math.ceil(ms / 1_000));
