/** A promise of the platform's that had not settled in time. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
}

/** Calls back after this many milliseconds; returns the way to cancel. */
export type After = (ms: number, callback: () => void) => () => void;

/** Parts in which a limit is waited for, so that an hour of sleep or freezing counts as one of them. */
const PARTS = 4;

/**
 * Calls back after this many milliseconds in which this process or page was awake; returns the way to cancel.
 */
export function afterAwake(ms: number, callback: () => void, after: After = later): () => void {
  let parts = PARTS;
  let cancel = () => {};
  const wait = () => {
    cancel = after(ms / PARTS, () => {
      if (--parts > 0) wait();
      else callback();
    });
  };
  wait();
  return () => cancel();
}

/**
 * Settles as `promise` does, or rejects with {@link TimedOut} when that takes longer than `ms` milliseconds in which this
 * page was awake. `what` names what did not answer. For what browsers promise and may never do: storage, adapters, locks.
 */
export function withDeadline<T>(
  promise: PromiseLike<T>,
  ms: number,
  what: string,
  after: After = later,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new TimedOut(`${what} did not answer within ${ms / 1_000} s`));
    const cancel = afterAwake(ms, late, after);
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}

/** By this process' or page's own timers. */
export const later: After = (ms, callback) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};
