/**
 * Resolves after `ms`, and lets messages and timers in even for 0. Rejects with the signal's reason when it
 * aborts first.
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    if (ms < 1) return nextTurn(() => (signal.aborted ? reject(signal.reason) : resolve()));
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Calls back in another turn of the event loop, at once: browsers stretch nested timers of 0 ms to 4. */
const nextTurn: (callback: () => void) => void =
  "setImmediate" in globalThis ? globalThis.setImmediate : throughChannel();

function throughChannel(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    port2.postMessage(undefined);
  };
}

/** A clock that no one can set back. */
export const monotonic = (): number => performance.now();

/** Milliseconds of rest after this many of work, for work to have its share of the time. */
export const restOf = (worked: number, share: number): number => (worked * (1 - share)) / share;
