import type { Pace as Told } from "../../protocol/pace.ts";

/** How much the newest measurement moves a mean. */
const NEWEST = 0.3;
/** Idle for a larger part of its time, a volunteer overlaps: goodput stays above 85%. */
const MOST_IDLE = 0.15;
/** Asking ahead begins this much earlier than the mean says it must. */
const MARGIN = 1.5;

/** What the loop measures of its machine and its link, and what follows from it. Times in milliseconds. */
export class Pace {
  readonly #means = new Map<string, number>();

  /** A ticket was trained, rests included. */
  trained(tokens: number, ms: number): void {
    this.#note("train", ms);
    this.#note("speed", rate(tokens, ms));
  }

  /** An upload was answered. */
  sent(bytes: number, ms: number): void {
    this.#note("send", ms);
    this.#note("uplink", rate(bytes, ms));
  }

  /** A download came in whole. */
  received(bytes: number, ms: number): void {
    this.#note("downlink", rate(bytes, ms));
  }

  /** From the request for a ticket until its text and weights are there. */
  prepared(ms: number): void {
    this.#note("prepare", ms);
  }

  /** What the server is told. */
  get told(): Told {
    const told = (name: keyof Told) => {
      const value = this.#means.get(name);
      return value === undefined ? {} : { [name]: Math.max(1, Math.round(value)) };
    };
    return { ...told("speed"), ...told("uplink"), ...told("downlink") };
  }

  /** The next ticket is asked for when this much of the training is left, so that it is there in time. */
  get lead(): number {
    return MARGIN * this.#mean("prepare");
  }

  /**
   * Whether to train on while a delta is on its way. Such a ticket starts without that delta, up to a version
   * late, which costs some learning (docs/LEARNING.md): only where waiting would cost more.
   */
  get overlaps(): boolean {
    const idle = this.#mean("prepare") + this.#mean("send");
    const train = this.#means.get("train");
    return train !== undefined && idle > MOST_IDLE * (idle + train);
  }

  #mean(name: string): number {
    return this.#means.get(name) ?? 0;
  }

  #note(name: string, value: number): void {
    const mean = this.#means.get(name);
    this.#means.set(name, mean === undefined ? value : mean + NEWEST * (value - mean));
  }
}

const rate = (amount: number, ms: number): number => (amount * 1_000) / Math.max(ms, 1);
