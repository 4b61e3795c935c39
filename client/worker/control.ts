import type { PauseReason, Phase, Report } from "./messages.ts";

/**
 * The visitor's hand on the loop: pause, resume, throttle, stop. The loop passes {@link Control.checkpoint} before
 * each inner step and each request, so that a command takes effect within one step.
 */
export class Control {
  readonly #controller = new AbortController();
  readonly #report: (report: Report) => void;
  #phase: Phase = { phase: "starting" };
  #paused: PauseReason | undefined;
  #resumed = Promise.withResolvers<void>();
  #share: number;

  constructor(report: (report: Report) => void, share: number) {
    this.#report = report;
    this.#share = share;
  }

  /** Aborts on stop: cuts downloads and sleeps short. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Where the loop is. */
  get phase(): Phase["phase"] {
    return this.#phase.phase;
  }

  /** The part of the time to train, (0, 1]. */
  get share(): number {
    return this.#share;
  }

  set share(share: number) {
    if (share > 0) this.#share = Math.min(1, share);
  }

  /** Says where the loop is; while the visitor pauses it, that is what is shown, until the loop ends. */
  enter(phase: Phase): void {
    this.#phase = phase;
    if (ENDS.has(phase.phase)) this.#paused = undefined;
    if (this.#paused === undefined) this.#report({ type: "phase", phase });
  }

  pause(why: PauseReason): void {
    if (this.#paused === undefined) this.#resumed = Promise.withResolvers();
    this.#paused = why;
    this.#report({ type: "phase", phase: { phase: "paused", why } });
  }

  resume(): void {
    if (this.#paused === undefined) return;
    this.#paused = undefined;
    this.#resumed.resolve();
    this.#report({ type: "phase", phase: this.#phase });
  }

  stop(): void {
    this.#controller.abort(new Stopped());
    this.#resumed.resolve();
  }

  /**
   * False at once, or when a pause ends. Where something is `done` that can be sent, true at once in a pause that does not save
   * data. Throws {@link Stopped}.
   */
  async checkpoint(done = false): Promise<boolean> {
    while (this.#paused !== undefined && !this.signal.aborted) {
      if (done && !SAVES_DATA.has(this.#paused)) return true;
      await this.#resumed.promise;
    }
    this.signal.throwIfAborted();
    return false;
  }
}

/** Reasons for a pause in which no delta is sent that was not on its way. */
const SAVES_DATA: ReadonlySet<PauseReason> = new Set(["saver", "budget"]);
const ENDS: ReadonlySet<Phase["phase"]> = new Set(["finished", "unable", "stopped"]);

/** The visitor ended it: no failure. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}
