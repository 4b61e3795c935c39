import type { Rest } from "../../contract/trainer.ts";
import type { Gpu } from "./adapter.ts";
import { endOfSubmit, Pace } from "./pace.ts";
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

/**
 * The way of programs to the device: in submits of about MAX_SUBMIT_MS, so that a page's pictures come in between and no
 * watchdog sees a hung driver. The first submit is cut as for the slowest adapter and waited for: it tells the pace.
 */
export class Submits {
  readonly #device: GPUDevice;
  readonly #lossGuard: Pick<Gpu["lossGuard"], "wait">;
  readonly #clock: () => number;
  readonly #pace = new Pace();

  constructor(
    { device, lossGuard }: { readonly device: GPUDevice; readonly lossGuard: Pick<Gpu["lossGuard"], "wait"> },
    clock: () => number = () => performance.now(),
  ) {
    this.#device = device;
    this.#lossGuard = lossGuard;
    this.#clock = clock;
  }

  /** Resolves when all of it is submitted. Only rests, and the very first submit, are waited for. */
  async run(programs: readonly Encodable[], between?: Between): Promise<void> {
    const costs = programs.flatMap((program) => program.costs);
    const several = endOfSubmit(costs, 0, this.#pace.budget) < costs.length;
    if (between && (several || between.more)) await this.done(); // what was submitted before is no work of this step
    for (let from = 0; from < costs.length; ) {
      const end = endOfSubmit(costs, from, this.#pace.budget);
      const begun = this.#clock();
      this.#submit(programs, from, end);
      const rests = between && (end < costs.length || between.more) ? between.rests : undefined;
      if (rests || !this.#pace.known) {
        await this.done();
        const took = this.#clock() - begun;
        this.#pace.note(sum(costs.slice(from, end)), took);
        await rests?.take(took);
      }
      from = end;
    }
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
