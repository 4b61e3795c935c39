import type { Log } from "../lib/log.ts";
import type { Merger } from "../merge/merger.ts";
import type { KnownVectors } from "../merge/vectors.ts";
import type { Store } from "../store/store.ts";
import type { RunDefinition } from "./genesis.ts";
import { remerge } from "./remerge.ts";
import type { ReplayedVersion } from "./replay.ts";

/** Versions that may wait to be made again: who is further behind would not catch up, and the newest snapshot is nearer. */
const MAX_BEHIND = 16;

export interface WarmParts {
  readonly store: Store;
  readonly definition: Pick<RunDefinition, "merging" | "task">;
  readonly merger: Merger;
  readonly log: Pick<Log, "warn">;
}

/**
 * Makes each version again that another server has published, from its deltas and not from its diff: so this server has what
 * the next one is made from when it comes to lead, and need neither read a snapshot nor make ten versions first.
 */
export class WarmVectors {
  readonly #parts: WarmParts;
  #made: KnownVectors | undefined;
  #waiting: ReplayedVersion[] = [];
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: WarmParts, made: KnownVectors) {
    this.#parts = parts;
    this.#made = made;
  }

  /** Another version was published, on the one before. */
  add(version: ReplayedVersion): void {
    if (this.#made === undefined || this.#stopped) return;
    this.#waiting.push(version);
    if (this.#waiting.length > MAX_BEHIND) this.#giveUp("versions come faster than they can be made again");
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** The newest that is made, once the one that is being made is; undefined where they could not be. */
  async stop(): Promise<KnownVectors | undefined> {
    this.#stopped = true;
    await this.#working;
    return this.#made;
  }

  async #work(): Promise<void> {
    const { store, definition, merger } = this.#parts;
    while (this.#made !== undefined && !this.#stopped) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      try {
        const vectors = await remerge(store, definition, this.#made.vectors, next, merger);
        this.#made &&= { version: next.version, hash: next.hash, vectors };
      } catch (error) {
        this.#giveUp(String(error));
      }
    }
  }

  #giveUp(error: string): void {
    this.#made = undefined;
    this.#waiting = [];
    this.#parts.log.warn({ error }, "versions are not made again: a takeover would begin at a snapshot");
  }
}
