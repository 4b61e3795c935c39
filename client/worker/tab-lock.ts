import { type After, afterAwake, later, withDeadline } from "../../model/lib/deadline.ts";
import { doesAnyTabTrain } from "./tab-presence.ts";

/** One trainer a browser: whoever holds this lock trains, the other tabs wait for it. */
const LOCK = "murmuration-trainer";
/** Milliseconds a browser has to say whether a lock is free, which it knows at once. */
const ANSWER_MS = 5_000;
/** Milliseconds after which a tab that waits asks whether the lock's holder is still there. */
const ASK_EVERY_MS = 10_000;

/** Another tab has taken the lock from this one, which did not answer: it was frozen, and must not train on. */
export class TabLockTaken extends Error {
  override readonly name = "TabLockTaken";
}

/** What {@link holdTabLock} asks of the browser. */
export interface TabLockDeps {
  readonly locks?: LockManager | undefined;
  readonly after?: After;
  readonly doesAnyTabTrain?: () => Promise<boolean>;
}

/**
 * Runs `work` while this tab alone may train. While another tab does, `waiting` is called; that tab's end lets
 * this one begin. Rejects with the signal's reason when that aborts the wait. Where the browser has no Web
 * Locks, denies them (a frame on another site, of a visitor who blocks third-party data) or never answers, nothing is
 * held: the server limits too.
 *
 * A frozen tab keeps its lock, and WebKit may leave one with a page that is gone. So a tab that waits takes the lock away
 * once no tab says that it trains. The work it is taken from goes on until its owner ends it: then this rejects with
 * {@link TabLockTaken}.
 */
export async function holdTabLock<T>(
  signal: AbortSignal,
  waiting: () => void,
  work: () => Promise<T>,
  deps: TabLockDeps = {},
): Promise<T> {
  const { locks = globalThis.navigator?.locks, after = later } = deps;
  const anyTabTrains = deps.doesAnyTabTrain ?? (() => doesAnyTabTrain(after));
  if (locks === undefined) return work();
  /** The lock's outcome, as soon as it is known: the work itself may take hours. */
  const answer = Promise.withResolvers<"ours" | "taken">();
  let late = false;
  const tried = underLock(locks, { ifAvailable: true }, async (lock) => {
    if (late) return undefined; // given up: the work goes on without
    answer.resolve(lock === null ? "taken" : "ours");
    return lock === null ? undefined : { result: await work() };
  });
  tried.catch(answer.reject);
  try {
    await withDeadline(answer.promise, ANSWER_MS, "Web Locks", after);
  } catch {
    late = true;
    return work();
  }
  const held = await tried;
  if (held !== undefined) return held.result;
  waiting();
  for (;;) {
    const turn = new AbortController();
    const cancel = afterAwake(ASK_EVERY_MS, () => turn.abort(), after);
    try {
      return await underLock(locks, { signal: AbortSignal.any([signal, turn.signal]) }, () => {
        cancel();
        return work();
      });
    } catch (error) {
      if (signal.aborted || !turn.signal.aborted) throw error;
    } finally {
      cancel();
    }
    const someone = await anyTabTrains();
    signal.throwIfAborted();
    if (!someone) return underLock(locks, { steal: true }, work);
  }
}

/** Runs `work` under the lock, or rejects with {@link TabLockTaken} as soon as another tab has taken it away. */
async function underLock<T>(
  locks: LockManager,
  options: LockOptions,
  work: (lock: Lock | null) => Promise<T>,
): Promise<T> {
  let working = false;
  try {
    return await locks.request(LOCK, options, async (lock) => {
      working = true;
      try {
        return await work(lock);
      } finally {
        working = false;
      }
    });
  } catch (error) {
    throw working ? new TabLockTaken("another tab has taken over") : error;
  }
}
