/** Milliseconds a small answer has to arrive whole. */
export const ANSWER_MS = 30_000;

/** The browser's fetch, given up after so many milliseconds: what no server answers would else be waited for for ever. */
export const timelyFetch =
  (ms = ANSWER_MS): typeof fetch =>
  (input, init) =>
    fetch(input, { ...init, signal: AbortSignal.timeout(ms) });
