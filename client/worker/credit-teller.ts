import type { RoundDeps } from "./deps.ts";

/** Milliseconds between two requests for a visitor's credit, at least. */
const CREDIT_EVERY_MS = 5_000;

/**
 * Reports the visitor's credit, now and then. It goes on asking during a rest, each time after twice as long, until no delta
 * waits and nothing has changed: nobody else says that they were merged, and one that a server of a cluster acknowledged
 * waits to be counted first. Not knowing it keeps nobody from training.
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
  let next = Number.POSITIVE_INFINITY;
  let wait = CREDIT_EVERY_MS;
  let merged: number | undefined;
  const ask = async () => {
    next = Number.POSITIVE_INFINITY;
    asked = clock();
    const credit = await api.credit(identity.key, { signal: control.signal }).catch(() => undefined);
    if (credit !== undefined) report({ type: "credit", credit });
    if (credit?.pending === 0 && credit.merged === merged) return;
    merged = credit?.merged;
    wait *= 2;
    askAt(clock() + wait);
  };
  const askAt = (at: number) => {
    if (next <= at) return;
    next = at;
    void sleep(at - clock(), control.signal).then(
      () => (next === at ? ask() : undefined),
      () => undefined,
    );
  };
  return async () => {
    wait = CREDIT_EVERY_MS;
    if (clock() - asked >= CREDIT_EVERY_MS) return ask();
    askAt(asked + CREDIT_EVERY_MS);
  };
}
