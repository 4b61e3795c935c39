import type { Pace } from "../../protocol/pace.ts";

/** Measurements whose median counts: one late delta, or a lid that was closed, says little about a link. */
const MEASURED = 5;
/** Part of its time: a volunteer that is idle for more trains on while it sends. */
const MAX_IDLE = 0.2;
/** Times its ticket and its link take: a volunteer that waits longer for work does not. */
const LONG_WAIT = 2;
/** Times the usual preparation: how long before the end of training the next ticket is requested. */
const MARGIN = 1.5;

/** Measurements of the machine and its link, and what follows from them. Times in milliseconds. */
export class Throughput {
  readonly #measured = new Map<string, readonly number[]>();
  /** As of {@link Pace}. */
  speeds: readonly number[] | undefined;

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

  /** From asking for a ticket until it was given. */
  waited(ms: number): void {
    this.#note("wait", ms);
  }

  /** From a ticket until its text and weights are there. */
  prepared(ms: number): void {
    this.#note("prepare", ms);
  }

  /** What a request for work tells the server. */
  get measured(): Pace {
    const field = (name: "speed" | "uplink" | "downlink") => {
      const value = this.#usual(name);
      return value === undefined ? {} : { [name]: Math.max(1, Math.round(value)) };
    };
    const { speeds } = this;
    return { ...field("speed"), ...field("uplink"), ...field("downlink"), ...(speeds && { speeds }) };
  }

  /** The next ticket is asked for when this much of the training is left, so that it is there in time. */
  get lead(): number {
    return MARGIN * (this.#usual("prepare") ?? 0);
  }

  /**
   * Whether to train on while a delta is on its way. Such a ticket starts without that delta, up to a version
   * late, which costs some learning (docs/LEARNING.md): only where waiting would cost more. In a crowd, where
   * everybody waits for a turn, nothing is won by it.
   */
  get overlaps(): boolean {
    const idle = (this.#usual("prepare") ?? 0) + (this.#usual("send") ?? 0);
    const train = this.#usual("train");
    if (train === undefined || (this.#usual("wait") ?? 0) > LONG_WAIT * (idle + train)) return false;
    return idle > MAX_IDLE * (idle + train);
  }

  #usual(name: string): number | undefined {
    const measured = this.#measured.get(name);
    return measured && [...measured].sort((a, b) => a - b)[measured.length >> 1];
  }

  #note(name: string, value: number): void {
    this.#measured.set(name, [...(this.#measured.get(name) ?? []).slice(1 - MEASURED), value]);
  }
}

const rate = (amount: number, ms: number): number => (amount * 1_000) / Math.max(ms, 1);
