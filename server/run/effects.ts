import type { Effect } from "../coordinator/events.ts";
import type { Listeners } from "./listeners.ts";
import type { Projections } from "./projections.ts";
import type { PublishedVersions } from "./published-versions.ts";
import type { Publisher } from "./publisher.ts";
import type { Quality } from "./quality.ts";

export interface EffectParts {
  readonly projections: Pick<Projections, "state" | "applied" | "needs" | "frames" | "late">;
  readonly listeners: Pick<Listeners, "announce">;
  readonly quality: Pick<Quality, "evaluate" | "diverged">;
  readonly publisher: Pick<Publisher, "decide" | "publish" | "rest" | "resting" | "activity">;
  readonly versions: Pick<PublishedVersions, "due" | "save">;
}

/** Hands each effect that the reducer asks for to the part that performs it, and has versions stored that are due. */
export class Effects {
  readonly #parts: EffectParts;

  constructor(parts: EffectParts) {
    this.#parts = parts;
  }

  perform(effects: readonly Effect[]): void {
    const { projections, listeners, quality, publisher, versions } = this.#parts;
    for (const effect of effects) {
      if (effect.type === "announce") listeners.announce(effect.event);
      else if (effect.type === "evaluate") quality.evaluate(effect.version, effect.tokens);
      else if (effect.type === "record") publisher.decide(effect.event);
      else if (effect.type === "merge") publisher.publish(effect.closed);
      else if (effect.type === "roll-back") {
        const answered = quality.diverged(effect.to);
        answered.catch((error: unknown) => publisher.rest(error, "the run could not be rolled back"));
      }
    }
    const due = versions.due(projections.state.version) && publisher.activity !== "rolling-back";
    if (due && !publisher.resting) this.#save();
  }

  #save(): void {
    const { projections, publisher, versions } = this.#parts;
    const { state, applied, needs, frames, late } = projections;
    const { version, hash } = state;
    const at = { applied, state, frames: new Map(frames), late: late.kept, asked: late.asked };
    versions
      .save({ version, hash, needs }, at)
      .catch((error: unknown) => publisher.rest(error, "a snapshot could not be stored; it is tried again"));
  }
}
