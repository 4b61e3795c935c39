import { parentPort } from "node:worker_threads";
import type { Trainer } from "../../model/contract/trainer.ts";

/** A worker's word that it goes on with the question. */
export const WORKING = "working";

/** Milliseconds between two such words. */
const EVERY_MS = 1_000;

/** The same trainer, which tells the main thread now and then that it is asked for another piece of work. */
export function reporting<T extends Trainer>(trainer: T): T {
  let reportedAt = Number.NEGATIVE_INFINITY;
  const report = () => {
    const now = performance.now();
    if (now - reportedAt < EVERY_MS) return;
    reportedAt = now;
    parentPort?.postMessage(WORKING);
  };
  return new Proxy(trainer, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        report();
        return Reflect.apply(value, target, args);
      };
    },
  });
}
