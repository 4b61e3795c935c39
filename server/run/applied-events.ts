import type { Effects } from "./effects.ts";
import type { Recordable } from "./event-log.ts";
import type { IndexFeed } from "./index-feed.ts";
import type { RunOptions } from "./options.ts";
import type { Applied, Projections } from "./projections.ts";
import type { PublishedVersions } from "./published-versions.ts";
import type { Quality } from "./quality.ts";
import type { RunClock } from "./run-clock.ts";

export interface AppliedEventParts {
  readonly observe: RunOptions["observe"];
  readonly projections: Pick<Projections, "applied">;
  readonly clock: Pick<RunClock, "reach">;
  readonly index: Pick<IndexFeed, "add">;
  readonly versions: Pick<PublishedVersions, "advance" | "rolledBack">;
  readonly quality: Pick<Quality, "weigh" | "inquire">;
  readonly effects: Pick<Effects, "perform">;
  /** A text has come in: what is decided from here on counts it. */
  readonly textAdded: () => void;
}

/** What each durable event of a served run means to its parts. Effects come last: they see all of it. */
export class AppliedEvents {
  readonly #parts: AppliedEventParts;

  constructor(parts: AppliedEventParts) {
    this.#parts = parts;
  }

  apply(event: Recordable, { effects: asked, ended, entries }: Applied): void {
    const { observe, projections, clock, index, versions, quality, effects, textAdded } = this.#parts;
    observe?.(event, ended);
    if (event.type === "accepted") clock.reach(event.at);
    index.add(entries);
    if (event.type === "published" || event.type === "rolled-back") versions.advance(event.hash);
    if (event.type === "text-added") textAdded();
    if (event.type === "published") quality.weigh(event.version);
    if (event.type === "rolled-back") {
      const { version, hash, reason } = event;
      versions.rolledBack({ version, hash, needs: projections.applied });
      if (reason === "held-out loss") quality.inquire();
    }
    effects.perform(asked);
  }
}
