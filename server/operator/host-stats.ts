import { statfs } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Overview } from "../../protocol/operator.ts";

/** Milliseconds between two samples of the delay histogram. */
const RESOLUTION_MS = 10;
const NANO = 1e6;

/** How the process and its disk are. */
export class HostStats {
  readonly #directory: string;
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #lately = { p50: 0, p99: 0 };

  constructor(directory: string) {
    this.#directory = directory;
    this.#delay.enable();
  }

  /** Keeps the minute's measurements and starts over. Call it once a minute. */
  turn(): void {
    this.#lately = this.#measured();
    this.#delay.reset();
  }

  async read(): Promise<Overview["machine"]> {
    const { bavail, blocks, bsize } = await statfs(this.#directory);
    const now = this.#measured();
    return {
      // The minute before still counts: just after a turn there is next to nothing measured.
      delayMs: { p50: Math.max(now.p50, this.#lately.p50), p99: Math.max(now.p99, this.#lately.p99) },
      memoryBytes: process.memoryUsage.rss(),
      upMs: Math.round(process.uptime() * 1_000),
      disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize },
    };
  }

  close(): void {
    this.#delay.disable();
  }

  #measured(): { readonly p50: number; readonly p99: number } {
    // The histogram holds the whole interval between two looks, of which its own resolution is no delay.
    const ms = (percentile: number) => Math.max(0, this.#delay.percentile(percentile) / NANO - RESOLUTION_MS);
    return this.#delay.count === 0 ? { p50: 0, p99: 0 } : { p50: ms(50), p99: ms(99) };
  }
}
