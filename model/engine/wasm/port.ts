/** A line to another thread, the same in a browser (Web Worker) and in Node (worker_threads). */
export interface Port {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** `failed` hears why the other side is gone, at most once; a side that has nothing to lose leaves it out. */
  listen(heard: (message: unknown) => void, failed?: (reason: string) => void): void;
  close(): void;
}

/**
 * Node's threads, where there is Node. Asked for at run time and not imported, so that no bundle for browsers
 * mentions them.
 */
const nodeThreads = () =>
  typeof process === "undefined" || typeof Worker !== "undefined"
    ? undefined
    : process.getBuiltinModule?.("node:worker_threads");

/** Starts worker.ts in a thread of its own. Throws where the platform has none. */
export function spawn(): Port {
  const threads = nodeThreads();
  if (threads) {
    // worker.ts in a checkout, worker.js once built
    const worker = new threads.Worker(new URL(import.meta.url.replace(/port(\.[jt]s)$/, "worker$1")));
    return {
      post: (message, transfer) => worker.postMessage(message, transfer),
      listen: (heard, failed) => {
        worker.on("message", heard);
        worker.once("error", (error) => failed?.(String(error)));
        worker.once("exit", (code) => failed?.(`a thread ended with code ${code}`));
      },
      close: () => void worker.terminate(),
    };
  }
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return {
    post: (message, transfer) => worker.postMessage(message, { transfer: [...transfer] }),
    listen: (heard, failed) => {
      worker.onmessage = ({ data }) => heard(data);
      worker.onerror = ({ message }) => failed?.(message || "a worker failed to start");
    },
    close: () => worker.terminate(),
  };
}

/** The line to the thread that spawned this one. */
export function parent(): Port {
  const port = nodeThreads()?.parentPort;
  if (port) {
    return {
      post: (message, transfer) => port.postMessage(message, transfer),
      listen: (heard) => port.on("message", heard),
      close: () => port.close(),
    };
  }
  return {
    post: (message, transfer) => self.postMessage(message, { transfer: [...transfer] }),
    listen: (heard) => {
      self.onmessage = ({ data }) => heard(data);
    },
    close: () => self.close(),
  };
}
