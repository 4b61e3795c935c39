import type { TextAdded } from "../coordinator/events.ts";
import type { KnownVectors } from "../merge/vectors.ts";
import { type Store, StoreError } from "../store/store.ts";
import { type NotedParts, noteApplied } from "./applied-events.ts";
import type { EventLogParts, Recordable } from "./event-log.ts";
import type { Listeners } from "./listeners.ts";
import { mergeTermsOf } from "./merge-rule.ts";
import type { Projections } from "./projections.ts";
import type { PublishedVersions } from "./published-versions.ts";
import { decodeRecord } from "./record.ts";
import type { ReplayedVersion } from "./replay.ts";
import type { WarmVectors } from "./warm-vectors.ts";

export interface FollowerParts extends NotedParts {
  readonly store: Pick<Store, "records">;
  readonly projections: Pick<Projections, "applied" | "apply" | "state" | "placesOf" | "needs">;
  readonly rules: EventLogParts["rules"];
  readonly versions: Pick<PublishedVersions, "prepareFollowed" | "advance">;
  readonly listeners: Pick<Listeners, "announce">;
  /** Makes versions again, where this process may come to lead. */
  readonly warm?: Pick<WarmVectors, "add" | "stop"> | undefined;
  /** Throws while the text of an event is not in the directory yet. */
  readonly requireText: (text: TextAdded["text"]) => void;
}

/** Reads a journal that another process writes, and applies what is new there. */
export class Follower {
  readonly #parts: FollowerParts;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  /**
   * Applies what was recorded since the last time. Of its effects only announcements are performed here. Rejects with a
   * StoreError where something of it cannot be had (any more); what came before it is applied.
   */
  async follow(): Promise<void> {
    const { store, projections } = this.#parts;
    for await (const { record } of store.records(projections.applied, false)) {
      const { event } = decodeRecord(record);
      if (event.type === "created") throw new StoreError("a second run begins in the journal");
      await this.#apply(event);
    }
  }

  /** Makes no more versions again; resolves to the newest that it made, undefined where it made none. */
  stop(): Promise<KnownVectors | undefined> {
    return this.#parts.warm?.stop() ?? Promise.resolve(undefined);
  }

  async #apply(event: Recordable): Promise<void> {
    const { projections, rules, versions, listeners, requireText, warm } = this.#parts;
    const isVersion = event.type === "published" || event.type === "rolled-back";
    if (isVersion) await versions.prepareFollowed(event);
    // Before it is applied: once the text is in the directory too, this is asked again.
    if (event.type === "text-added") requireText(event.text);
    const made = warm && this.#versionOf(event);
    const applied = projections.apply(rules(), event, event.at);
    noteApplied(this.#parts, event, applied);
    if (made !== undefined) warm?.add(made);
    for (const effect of applied.effects) if (effect.type === "announce") listeners.announce(effect.event);
  }

  /** What a version is made of, before its event is applied. */
  #versionOf(event: Recordable): ReplayedVersion | undefined {
    const { projections } = this.#parts;
    const { needs } = projections;
    if (event.type === "rolled-back")
      return { version: event.version, hash: event.hash, rolledBack: true, needs, merged: [] };
    if (event.type !== "published") return undefined;
    const { version, hash, diff } = event;
    const closed = projections.state.closing?.event;
    const merged = projections.placesOf(closed);
    return { version, hash, diff, needs, merged, ...(closed && mergeTermsOf(closed)) };
  }
}
