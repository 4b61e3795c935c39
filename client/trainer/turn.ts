/** One trainer a browser: whoever holds this lock trains, the other tabs wait for it. */
const LOCK = "murmuration-trainer";

/**
 * Runs `work` while this tab alone may train. Another tab in its place is told through `waiting`; its end lets
 * this one begin. Rejects with the signal's reason when that aborts the wait. Where the browser has no Web
 * Locks, or denies them (a frame on another site, of a visitor who blocks third-party data), nothing is held:
 * the server limits too.
 */
export async function holdTurn<T>(
  signal: AbortSignal,
  waiting: () => void,
  work: () => Promise<T>,
  locks: LockManager | undefined = globalThis.navigator?.locks,
): Promise<T> {
  if (locks === undefined) return work();
  let asked = false;
  try {
    const tried = await locks.request(LOCK, { ifAvailable: true }, async (lock) => {
      asked = true;
      return lock === null ? undefined : { result: await work() };
    });
    if (tried !== undefined) return tried.result;
  } catch (error) {
    if (asked) throw error; // the work's own
    return work();
  }
  waiting();
  return locks.request(LOCK, { signal }, work);
}
