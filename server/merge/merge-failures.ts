import { ProtocolError } from "../../protocol/errors.ts";

/** Failures in a row, other than of the disk, after which a merge is not tried again. */
const MAX_FAILURES = 3;

/** Counts a version's failed merges, so that one that can never succeed pauses the run and is not tried for ever. */
export class MergeFailures {
  #version = -1;
  #times = 0;

  /** Whether the run must be paused for it, now that `version` failed with `error` once more. */
  add(version: number, error: unknown): boolean {
    if (error instanceof ProtocolError && (error.code === "no-space" || error.code === "not-durable"))
      return false;
    this.#times = this.#version === version ? this.#times + 1 : 1;
    this.#version = version;
    return this.#times >= MAX_FAILURES;
  }

  /** Whether `version` is not to be tried. Resuming the run tries it again. */
  stopped(version: number, paused: boolean): boolean {
    if (this.#version !== version || this.#times < MAX_FAILURES) return false;
    if (!paused) this.#times = 0;
    return paused;
  }
}
