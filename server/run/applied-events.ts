import type { Effects } from "./effects.ts";
import type { Recordable } from "./event-log.ts";
import type { IndexFeed } from "./index-feed.ts";
import type { RunOptions } from "./options.ts";
import type { Applied, Projections } from "./projections.ts";
import type { PublishedVersions } from "./published-versions.ts";
import type { Quality } from "./quality.ts";
import type { RunClock } from "./run-clock.ts";

export interface NotedParts {
  readonly observe: RunOptions["observe"];
  readonly index: Pick<IndexFeed, "add">;
  readonly versions: Pick<PublishedVersions, "advance">;
  /** A text has come in: what is decided from here on counts it. */
  readonly textAdded: () => void;
}

export interface AppliedEventParts extends NotedParts {
  readonly projections: Pick<Projections, "applied">;
  readonly clock: Pick<RunClock, "reach">;
  readonly versions: Pick<PublishedVersions, "advance" | "rolledBack">;
  readonly quality: Pick<Quality, "weigh" | "inquire">;
  readonly effects: Pick<Effects, "perform">;
}

/** What a durable event means to whoever has the run, whichever server recorded it. */
export function noteApplied(
  { observe, index, versions, textAdded }: NotedParts,
  event: Recordable,
  { ended, entries }: Pick<Applied, "ended" | "entries">,
): void {
  observe?.(event, ended);
  index.add(entries);
  if (event.type === "published" || event.type === "rolled-back") versions.advance(event.hash);
  if (event.type === "text-added") textAdded();
}

/** What each durable event of a served run means to its parts. Effects come last: they see all of it. */
export class AppliedEvents {
  readonly #parts: AppliedEventParts;

  constructor(parts: AppliedEventParts) {
    this.#parts = parts;
  }

  apply(event: Recordable, applied: Applied): void {
    const { projections, clock, versions, quality, effects } = this.#parts;
    noteApplied(this.#parts, event, applied);
    if (event.type === "accepted") clock.reach(event.at);
    if (event.type === "published") quality.weigh(event.version);
    if (event.type === "rolled-back") {
      const { version, hash, reason } = event;
      versions.rolledBack({ version, hash, needs: projections.applied });
      if (reason === "held-out loss") quality.inquire();
    }
    effects.perform(applied.effects);
  }
}
