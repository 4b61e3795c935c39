import type { Closed, Effect, RolledBack } from "../coordinator/events.ts";
import { MergeFailures } from "../merge/merge-failures.ts";
import { type Activity, after } from "./activity.ts";
import { mergeVersion, takeBack, type VersionParts } from "./make-version.ts";
import type { RunOptions } from "./options.ts";

/** Milliseconds from a failed write to the next try: a full disk is not emptied in a tick. */
const RETRY_MS = 1_000;
/** Milliseconds a ticket request waits for a merge at most: only a very large model's takes longer. */
const MERGE_WAIT_MS = 2_000;

export interface PublisherParts extends VersionParts {
  readonly options: VersionParts["options"] & Pick<RunOptions, "clock">;
  /** Called when something has ended, so that what is due next can begin. */
  readonly ended: () => void;
}

type Decision = Extract<Effect, { type: "record" }>["event"];

/** Work under way, and when it is done: after `over`, ticket requests need not wait for it. */
interface UnderWay {
  readonly activity: Activity;
  readonly began: number;
  readonly done: Promise<void>;
  readonly over: Promise<void>;
  readonly end: () => void;
}

/** Journals decisions, merges closed versions, and takes the run back: one at a time, and again where it failed. */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #failures = new MergeFailures();
  #underWay: UnderWay | undefined;
  #retryAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  get activity(): Activity {
    return this.#underWay?.activity ?? "idle";
  }

  /** Whether a failed write is waited out, or the run is being closed. */
  get resting(): boolean {
    return this.#stopped || this.#parts.options.clock() < this.#retryAt;
  }

  /** Whether a merge lasts so long that nobody waits for it. */
  get behind(): boolean {
    const { clock } = this.#parts.options;
    return this.activity === "merging" && this.#underWay!.began + MERGE_WAIT_MS <= clock();
  }

  /**
   * Waits until a version that is being closed is published, or has failed to be. A volunteer that asks for work just
   * after sending would otherwise get the old version every time, and all deltas would be one version late: at the
   * default rates that alone stops the model from learning (docs/LEARNING.md). But not longer than a merge may take
   * without the whole swarm standing still for it.
   */
  async settled(): Promise<void> {
    if (this.activity === "recording") await this.#underWay?.done;
    if (this.activity === "merging") await this.#underWay?.over;
    if (this.activity === "rolling-back") await this.#underWay?.done.catch(() => {}); // its caller gets the error
    // Behind each of these text may come in: a ticket given out meanwhile would have its range of the text before.
    while (this.activity === "recording") await this.#underWay?.done;
  }

  /** Lets those who wait for a merge go on where it takes too long. */
  tick(): void {
    if (this.behind) this.#underWay?.end();
  }

  /**
   * Journals a decision. Not while an event that takes a delta away is on its way to the journal: a closing that names
   * that delta would stand behind it there and contradict it, for good.
   */
  decide(event: Decision): void {
    if (this.resting || this.#parts.events.takesDeltas) return;
    this.#begin("record", () =>
      this.#parts.events
        .record(event)
        .catch((error: unknown) => this.rest(error, "a decision could not be kept; it is made again")),
    );
  }

  /** Merges a closed version and publishes its successor. */
  publish(closed: Closed): void {
    if (this.resting) return;
    if (this.#failures.stopped(closed.version, this.#parts.events.state.phase === "paused")) return;
    this.#begin("merge", () =>
      mergeVersion(this.#parts, closed).catch((error: unknown) => {
        this.rest(error, "a version could not be published; it is merged again");
        return this.#failures.add(closed.version, error) ? this.#pause(closed.version) : undefined;
      }),
    );
  }

  /**
   * Takes the run back to the weights of `to`, or of the newest version before it that is stored whole. Rejects
   * with a StoreError where none is. One that is under way is joined.
   */
  rollBack(to: number, reason: RolledBack["reason"]): Promise<void> {
    const before = this.#underWay;
    const begun = this.#begin("roll-back", async () => {
      await before?.done; // nothing new is decided or merged while this is under way; what already is comes first
      await takeBack(this.#parts, to, reason);
    });
    return begun ?? this.#underWay!.done;
  }

  /** Tells of a failed write, which is tried again after a while. */
  rest(error: unknown, message: string): void {
    this.#retryAt = this.#parts.options.clock() + RETRY_MS;
    this.#parts.options.log.error({ error: String(error) }, message);
  }

  /** Begins nothing more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#underWay?.done.catch(() => {}); // its caller gets the error
  }

  /** Begins a job, unless something is under way that it must not meet. */
  #begin(step: "record" | "merge" | "roll-back", job: () => Promise<void>): Promise<void> | undefined {
    const activity = after(this.activity, step);
    if (activity === undefined) return undefined;
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const done = job().finally(() => {
      if (this.#underWay === underWay) this.#underWay = undefined;
      end();
      this.#parts.ended();
    });
    const underWay: UnderWay = { activity, began: this.#parts.options.clock(), done, over, end };
    this.#underWay = underWay;
    return done;
  }

  /** A version that cannot be merged stays closed; the run waits for its operator. */
  #pause(version: number): Promise<void> {
    const { options, events, clock } = this.#parts;
    options.log.error({ version }, "a version cannot be merged: the run is paused until it is resumed");
    const paused = events.record({ type: "state", at: clock.now(), state: "paused" });
    return paused.catch((error: unknown) =>
      options.log.warn({ error: String(error) }, "the run could not be paused"),
    );
  }
}
