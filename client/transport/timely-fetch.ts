/** Milliseconds a small answer has to arrive whole. */
export const ANSWER_MS = 30_000;

/** The browser's fetch, given up after this many milliseconds: otherwise it would wait forever for a server that never answers. */
export const timelyFetch =
  (ms = ANSWER_MS): typeof fetch =>
  (input, init) =>
    fetch(input, { ...init, signal: AbortSignal.timeout(ms) });
