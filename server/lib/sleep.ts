import { setTimeout } from "node:timers/promises";

/** Resolves after this many milliseconds; rejects at once where the signal aborts. */
export const sleepFor = (ms: number, signal?: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, signal && { signal });
