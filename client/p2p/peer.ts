import type { Hash } from "../../protocol/ids.ts";
import { BUSY_MS, DIAL_MS, MAX_BUSY_MS } from "./limits.ts";

/** Another browser, from when it is dialled or comes to us until it is gone. Times are the scheduler's. */
export class Peer {
  readonly dialled: boolean;
  /** Objects of which it wants to hear from us. */
  readonly wants = new Set<Hash>();
  /** When it was dialled; when it opened, once it has. */
  at: number;
  open = false;
  busyUntil = 0;
  /** Since when it has said that it is busy, and given nothing. */
  #busySince: number | undefined;

  constructor(dialled: boolean, now: number) {
    this.dialled = dialled;
    this.at = now;
  }

  opened(now: number): void {
    this.open = true;
    this.at = now;
  }

  /** When it is given up, unless it opens; undefined once it has. */
  get lostAt(): number | undefined {
    return this.open ? undefined : this.at + DIAL_MS;
  }

  /** It came to us a while ago and wants nothing. */
  isIdle(now: number): boolean {
    return !this.dialled && this.open && this.wants.size === 0 && now - this.at >= DIAL_MS;
  }

  /** It has no time for us; `random` is from 0 to 1. Returns whether it has said nothing else for too long. */
  saidBusy(now: number, random: number): boolean {
    this.busyUntil = now + BUSY_MS * (1 + random);
    this.#busySince ??= now;
    return now - this.#busySince >= MAX_BUSY_MS;
  }

  gaveChunk(): void {
    this.#busySince = undefined;
  }
}
