import { statfs } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Overview } from "../../protocol/operator.ts";

/** Milliseconds between two samples of the delay histogram. */
const RESOLUTION_MS = 10;
/** Milliseconds that one histogram counts. */
const TURN_MS = 60_000;
const NANO = 1e6;

/** How late the process's event loop was, lately; one measurement for all who ask. */
export class LoopDelay {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #turning: NodeJS.Timeout;
  #lately = { p50: 0, p99: 0 };

  constructor() {
    this.#delay.enable();
    this.#turning = setInterval(() => this.#turn(), TURN_MS).unref();
  }

  /** In milliseconds. The minute before still counts: just after a turn there is next to nothing measured. */
  read(): { readonly p50: number; readonly p99: number } {
    const now = this.#measured();
    return { p50: Math.max(now.p50, this.#lately.p50), p99: Math.max(now.p99, this.#lately.p99) };
  }

  close(): void {
    clearInterval(this.#turning);
    this.#delay.disable();
  }

  /** Keeps the minute's measurements and starts over. */
  #turn(): void {
    this.#lately = this.#measured();
    this.#delay.reset();
  }

  #measured(): { readonly p50: number; readonly p99: number } {
    // The histogram holds the whole interval between two looks, of which its own resolution is no delay.
    const ms = (percentile: number) => Math.max(0, this.#delay.percentile(percentile) / NANO - RESOLUTION_MS);
    return this.#delay.count === 0 ? { p50: 0, p99: 0 } : { p50: ms(50), p99: ms(99) };
  }
}

/** How the process and a directory's disk are. */
export class HostStats {
  readonly #directory: string;
  readonly #delay: Pick<LoopDelay, "read">;

  constructor(directory: string, delay: Pick<LoopDelay, "read">) {
    this.#directory = directory;
    this.#delay = delay;
  }

  async read(): Promise<Overview["machine"]> {
    const { bavail, blocks, bsize } = await statfs(this.#directory);
    return {
      delayMs: this.#delay.read(),
      memoryBytes: process.memoryUsage.rss(),
      upMs: Math.round(process.uptime() * 1_000),
      disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize },
    };
  }
}
