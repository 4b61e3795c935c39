import type { Rest } from "../../contract/trainer.ts";
import type { Gpu } from "./adapter.ts";
import { endOfSubmit, MAX_SOFTWARE_SUBMIT_MS, MAX_SUBMIT_MS, Pace } from "./pace.ts";
import type { Program } from "./program.ts";

/** What {@link Submits.run} needs of a program. */
export type Encodable = Pick<Program, "costs" | "length" | "encode">;

/** What happens between the submits of a step. */
export interface Between {
  /** Lets others have the device. */
  readonly rests: Rests;
  /** Whether the step goes on after these programs, so that there is a rest behind their last submit, too. */
  readonly more: boolean;
}

/** Steps on the device at a time, at least: one that runs, and one that waits behind it. */
const MIN_IN_FLIGHT = 2;
/** The most: what a visitor stops or pauses still runs. */
const MAX_IN_FLIGHT = 32;

/** What it needs of a {@link Gpu}. */
export interface Busy extends Pick<Gpu, "device" | "latency" | "software"> {
  readonly lossGuard: Pick<Gpu["lossGuard"], "wait">;
}

/**
 * The way of programs to the device: in submits of about MAX_SUBMIT_MS, so that a page's pictures come in between and no
 * watchdog sees a hung driver. The first submit is cut as for the slowest adapter and waited for: it tells the pace.
 */
export class Submits {
  readonly #device: GPUDevice;
  readonly #lossGuard: Busy["lossGuard"];
  /** Milliseconds, as {@link Gpu.latency}. */
  readonly #latency: number;
  readonly #pace: Pace;
  readonly #flying: Promise<void>[] = [];
  #depth = MIN_IN_FLIGHT;
  /** When its work began, and estimated milliseconds: of all of it, and of what nobody has waited for yet. */
  #step = { begun: 0, estimated: 0, untold: 0 };
  /** When the step before was done. */
  #before = Number.NEGATIVE_INFINITY;

  constructor({ device, lossGuard, latency, software }: Busy) {
    this.#device = device;
    this.#lossGuard = lossGuard;
    this.#latency = latency;
    this.#pace = new Pace(software ? MAX_SOFTWARE_SUBMIT_MS : MAX_SUBMIT_MS);
  }

  /** Resolves when all of it is submitted. Only rests, and the very first submit, are waited for. */
  async run(programs: readonly Encodable[], between?: Between): Promise<void> {
    const costs = programs.flatMap((program) => program.costs);
    const several = endOfSubmit(costs, 0, this.#pace.budget) < costs.length;
    if (between && (several || between.more)) await this.done(); // what was submitted before is no work of this step
    for (let from = 0; from < costs.length; ) {
      const end = endOfSubmit(costs, from, this.#pace.budget);
      const begun = performance.now();
      const estimated = sum(costs.slice(from, end));
      this.#submit(programs, from, end);
      this.#step.estimated += estimated;
      this.#step.untold += estimated;
      const rests = between && (end < costs.length || between.more) ? between.rests : undefined;
      if (rests || !this.#pace.known) {
        await this.done();
        const took = performance.now() - begun;
        this.#pace.note(estimated, Math.max(0, took - this.#latency));
        await rests?.take(took);
        this.#step.untold = 0;
        this.#step.begun = performance.now();
      }
      from = end;
    }
  }

  /** A step begins with the next {@link run}. */
  beginStep(): void {
    this.#step = { begun: performance.now(), estimated: 0, untold: 0 };
  }

  /** The step was submitted. Nobody need wait for it. */
  endStep(): void {
    const { begun, estimated, untold } = this.#step;
    const done = this.done().then(() => {
      const now = performance.now();
      const idle = begun > this.#before;
      const took = idle ? Math.max(0, now - begun - this.#latency) : now - this.#before;
      this.#before = now;
      this.#pace.note(untold, took);
    });
    done.catch(() => undefined); // whoever waits for it hears of it; nobody may be waiting
    this.#flying.push(done);
    this.#depth = this.#depthFor(this.#pace.expect(estimated));
  }

  /** Resolves when the device can take another step. Rejects with `device-lost`. */
  async room(): Promise<void> {
    while (this.#flying.length >= this.#depth) await this.#flying.shift();
  }

  /** Steps of this many milliseconds that keep the device busy until the browser says that the first of them is done. */
  #depthFor(ms: number): number {
    return Math.min(MAX_IN_FLIGHT, MIN_IN_FLIGHT + Math.floor(this.#latency / ms));
  }

  /** Resolves when the device has done all that was submitted. Rejects with `device-lost`. */
  async done(): Promise<void> {
    await this.#lossGuard.wait(this.#device.queue.onSubmittedWorkDone());
  }

  /** The dispatches `from` … `end` − 1 of the programs, counted through. */
  #submit(programs: readonly Encodable[], from: number, end: number): void {
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let before = 0;
    for (const program of programs) {
      program.encode(pass, Math.max(0, from - before), Math.min(program.length, end - before));
      before += program.length;
    }
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The rests of one step. One that rejects, since training is stopped, is the last, and the step is still done whole. */
export class Rests {
  readonly #rest: Rest;
  #refused: { readonly reason: unknown } | undefined;

  constructor(rest: Rest) {
    this.#rest = rest;
  }

  async take(worked: number): Promise<void> {
    if (this.#refused) return;
    try {
      await this.#rest(worked);
    } catch (reason) {
      this.#refused = { reason };
    }
  }

  /** Throws what a rest rejected with. */
  end(): void {
    if (this.#refused) throw this.#refused.reason;
  }
}
