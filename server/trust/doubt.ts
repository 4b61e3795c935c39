import type { TicketId } from "../../protocol/ids.ts";
import { scorer } from "./slow-harm.ts";
import { type DeltaEffect, established, standingOf, type Trust } from "./standing.ts";

/** Score (slow-harm.ts) from which a delta seems to have done harm by itself. */
const DOUBTED = -0.25;
/** Deltas of one version that are audited for it, the worst: chance has some honest ones seem bad where text is short. */
const MAX_DOUBTED = 2;

/**
 * Deltas that seem to have done harm where they were merged, the worst first. One gradient looks at a whole version, so that
 * it screens what an audit, which costs as much for one delta, then settles: of one that is drawn by chance in twenty a
 * volunteer that cheats now and then has little to fear. Those of newcomers are audited in any case.
 */
export function doubtedOf(trust: Trust, effects: readonly DeltaEffect[]): readonly TicketId[] {
  const usual = (trust.usual.effects ?? []).map(({ value }) => value);
  const scoreOf = scorer(
    usual,
    effects.map(({ effect }) => effect),
  );
  if (scoreOf === undefined) return [];
  return effects
    .filter(({ volunteer, effect }) => {
      return established(standingOf(trust, volunteer)) && scoreOf(effect) <= DOUBTED;
    })
    .toSorted((one, other) => one.effect - other.effect)
    .slice(0, MAX_DOUBTED)
    .map(({ ticket }) => ticket);
}
