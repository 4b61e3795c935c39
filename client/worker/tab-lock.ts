import { type After, withDeadline } from "../../model/lib/deadline.ts";

/** One trainer a browser: whoever holds this lock trains, the other tabs wait for it. */
const LOCK = "murmuration-trainer";
/** Milliseconds a browser has to say whether a lock is free, which it knows at once. */
const ANSWER_MS = 5_000;

/**
 * Runs `work` while this tab alone may train. While another tab does, `waiting` is called; that tab's end lets
 * this one begin. Rejects with the signal's reason when that aborts the wait. Where the browser has no Web
 * Locks, denies them (a frame on another site, of a visitor who blocks third-party data) or never answers, nothing is
 * held: the server limits too.
 */
export async function holdTabLock<T>(
  signal: AbortSignal,
  waiting: () => void,
  work: () => Promise<T>,
  locks: LockManager | undefined = globalThis.navigator?.locks,
  after?: After,
): Promise<T> {
  if (locks === undefined) return work();
  /** The lock's outcome, as soon as it is known: the work itself may take hours. */
  const answer = Promise.withResolvers<"ours" | "taken">();
  let late = false;
  const ask = async () =>
    locks.request(LOCK, { ifAvailable: true }, async (lock) => {
      if (late) return undefined; // given up: the work goes on without
      answer.resolve(lock === null ? "taken" : "ours");
      return lock === null ? undefined : { result: await work() };
    });
  const held = ask();
  held.catch(answer.reject);
  try {
    await withDeadline(answer.promise, ANSWER_MS, "Web Locks", after);
  } catch {
    late = true;
    return work();
  }
  const tried = await held;
  if (tried !== undefined) return tried.result;
  waiting();
  return locks.request(LOCK, { signal }, work);
}
