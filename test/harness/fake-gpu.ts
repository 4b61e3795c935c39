import { Nudge } from "../../model/engine/webgpu/nudge.ts";
import type { Busy, Encodable } from "../../model/engine/webgpu/submits.ts";

/** When a device tells what it has done. */
interface Grid {
  /** Only every so many milliseconds … */
  readonly ms: number;
  /** … and, as Firefox does, when something is submitted, were it nothing. */
  readonly hears: boolean;
}

/** A device whose dispatches take as long as they say, on Vitest's fake timers. */
export class FakeGpu implements Busy {
  /** What each submit with work in it took, in milliseconds. */
  readonly submits: number[] = [];
  /** Submits of nothing. */
  nudges = 0;
  readonly device: GPUDevice;
  readonly lossGuard: Busy["lossGuard"];
  latency = 0;
  readonly software: boolean;
  readonly #nudge: Nudge;
  readonly #grid: Grid | undefined;
  readonly #waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  #busyUntil = 0;

  constructor(grid?: Grid, software = false) {
    this.software = software;
    this.#grid = grid;
    if (grid !== undefined) setInterval(() => this.#poll(), grid.ms);
    const queue = {
      submit: (buffers: Iterable<unknown>) => this.#submit([...buffers] as number[][]),
      onSubmittedWorkDone: () => this.#done(),
    };
    this.device = { queue, createCommandEncoder: encoder } as unknown as GPUDevice;
    this.#nudge = new Nudge(this.device.queue);
    this.lossGuard = { wait: (answer) => this.#nudge.during(answer) };
  }

  /** As openGpu does. */
  async measure(): Promise<void> {
    this.latency = await this.#nudge.measure();
  }

  #submit(buffers: readonly number[][]): void {
    const work = buffers.flat().reduce((sum, ms) => sum + ms, 0);
    if (buffers.length === 0) this.nudges++;
    else this.submits.push(work);
    this.#busyUntil = Math.max(this.#busyUntil, performance.now()) + work;
    if (this.#grid?.hears) this.#poll();
  }

  #done(): Promise<void> {
    return new Promise((resolve) => {
      const at = Math.max(this.#busyUntil, performance.now());
      this.#waiting.push({ at, resolve });
      if (this.#grid === undefined) setTimeout(() => this.#poll(), at - performance.now());
    });
  }

  #poll(): void {
    const now = performance.now();
    for (const one of this.#waiting.filter(({ at }) => at <= now)) {
      this.#waiting.splice(this.#waiting.indexOf(one), 1);
      one.resolve();
    }
  }
}

/** An encoder whose command buffer is the milliseconds of its dispatches. */
function encoder() {
  const list: number[] = [];
  return { beginComputePass: () => ({ list, end: () => undefined }), finish: () => list };
}

/** A program of dispatches of so many milliseconds each, which are estimated to take `factor` times as many. */
export function fakeProgram(times: readonly number[], factor = 1): Encodable {
  return {
    costs: times.map((ms) => ms * factor),
    length: times.length,
    encode: (pass, from = 0, end = times.length) => {
      (pass as unknown as { list: number[] }).list.push(...times.slice(from, Math.max(from, end)));
    },
  };
}
