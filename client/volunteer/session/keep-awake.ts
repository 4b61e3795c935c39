import { effect, type ReadonlySignal } from "@preact/signals";

/** The part of the browser's Screen Wake Lock that is used. */
export interface WakeLocks {
  request(kind: "screen"): Promise<{ release(): Promise<void> }>;
}

/** The browser's, where it has any. */
export const browserWakeLocks = (): WakeLocks | undefined =>
  "wakeLock" in navigator ? navigator.wakeLock : undefined;

/**
 * Holds the screen awake while it is wanted and the page is in sight: a browser takes the lock from a hidden page, and
 * gives it no other. One that refuses (a battery that runs low) is asked again when the page is seen the next time.
 */
export function keepAwake(
  wanted: ReadonlySignal<boolean>,
  hidden: ReadonlySignal<boolean>,
  locks: WakeLocks | undefined,
): () => void {
  if (locks === undefined) return () => {};
  return effect(() => {
    if (!wanted.value || hidden.value) return;
    let over = false;
    let release = () => {};
    locks.request("screen").then(
      (lock) => {
        release = () => void lock.release().catch(() => {}); // it is gone already
        if (over) release();
      },
      () => {}, // refused: training goes on, and the screen may go dark
    );
    return () => {
      over = true;
      release();
    };
  });
}
