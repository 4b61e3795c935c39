import type { ErrorCode } from "../../protocol/errors.ts";
import type { VolunteerKey } from "../../protocol/ids.ts";
import type { Together } from "../../protocol/link.ts";
import { type Enlisted, MAX_ENLISTED, STANDINGS } from "../../protocol/roster.ts";
import type { VolunteerCredit } from "../../protocol/status.ts";
import { admitted, standingOf, type Trust, trusted } from "../trust/standing.ts";

/** A volunteer, as the run knows it; operator/presence.ts remembers its device and browser. */
export type Known = Omit<Enlisted, "seenMs" | "device" | "browser" | "backend">;

export interface RosterParts {
  readonly trust: Trust;
  /** The run clock. */
  readonly now: number;
  /** Volunteers with a refusal, newest first. */
  readonly refusedLately: (most: number) => readonly VolunteerKey[];
  readonly reasonsOf: (volunteer: VolunteerKey) => Readonly<Partial<Record<ErrorCode, number>>>;
  readonly nameOf: (volunteer: VolunteerKey) => string | undefined;
  readonly togetherOf: (volunteer: VolunteerKey) => Together;
  readonly creditOf: (volunteer: VolunteerKey) => VolunteerCredit;
}

/** A third each for those kept out, the lately refused and the lately seen: none of them crowds the others out. */
const SHARE = MAX_ENLISTED / 3;

/**
 * Volunteers that an operator may want to rule on, in an order that stays while they do: those kept out, then those who
 * was refused most, then who gave most.
 */
export function rosterOf(parts: RosterParts, seenLately: readonly VolunteerKey[]): readonly Known[] {
  const { trust, now, refusedLately } = parts;
  const out: VolunteerKey[] = [];
  for (const [volunteer, standing] of trust.standings) if (!admitted(standing, now)) out.push(volunteer);
  const chosen = new Set([...out.slice(-SHARE), ...refusedLately(SHARE), ...seenLately.slice(0, SHARE)]);
  return [...chosen].map((volunteer) => knownOf(parts, volunteer)).sort(byConcern);
}

function knownOf(parts: RosterParts, volunteer: VolunteerKey): Known {
  const { trust, now, reasonsOf, nameOf, togetherOf, creditOf } = parts;
  const standing = standingOf(trust, volunteer);
  const refused = reasonsOf(volunteer);
  const { tokens, merged, refused: notTaken } = creditOf(volunteer);
  const together = togetherOf(volunteer);
  return {
    volunteer,
    name: nameOf(volunteer) ?? null,
    standing: standing.banned
      ? "banned"
      : !admitted(standing, now)
        ? "quarantined"
        : trusted(standing)
          ? "trusted"
          : "new",
    outMs: standing.banned ? 0 : Math.max(0, standing.until - now),
    merged,
    tokens,
    linked: together.linked,
    together: together.linked === 0 ? tokens : together.tokens,
    discarded: Math.max(0, notTaken - total(refused)),
    refused,
  };
}

const total = (refused: Known["refused"]): number =>
  Object.values(refused).reduce((sum, times) => sum + times, 0);

const rank = ({ standing }: Known): number => Math.min(2, STANDINGS.indexOf(standing));

const byConcern = (a: Known, b: Known): number =>
  rank(a) - rank(b) ||
  total(b.refused) + b.discarded - total(a.refused) - a.discarded ||
  b.tokens - a.tokens ||
  (a.volunteer < b.volunteer ? -1 : 1);
