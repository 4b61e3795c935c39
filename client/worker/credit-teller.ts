import type { RoundDeps } from "./deps.ts";

/** Milliseconds between two requests for a visitor's credit, at least. */
const CREDIT_EVERY_MS = 5_000;

/**
 * Reports the visitor's credit, now and then, and once more after the last delta before a rest. Not knowing it keeps
 * nobody from training.
 */
export function creditTeller({
  api,
  identity,
  control,
  clock,
  sleep,
  report,
}: RoundDeps): () => Promise<void> {
  let asked = Number.NEGATIVE_INFINITY;
  let due = false;
  const ask = async () => {
    due = false;
    asked = clock();
    const credit = await api.credit(identity.key, { signal: control.signal }).catch(() => undefined);
    if (credit !== undefined) report({ type: "credit", credit });
  };
  return async () => {
    const wait = asked + CREDIT_EVERY_MS - clock();
    if (wait <= 0) return ask();
    if (due) return;
    due = true;
    void sleep(wait, control.signal).then(ask, () => undefined);
  };
}
