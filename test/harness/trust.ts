import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Candidate } from "../../server/trust/candidate.ts";
import { NO_TRUST, recordPass, type Trust } from "../../server/trust/standing.ts";
import { NOTHING_USUAL } from "../../server/trust/usual.ts";

export const key = (name: string) => name as VolunteerKey;
export const NONE = "none" as TicketId;
/** A delta that waits, of a volunteer of its own. */
export const delta = (ticket: string, size = 1, changes: Partial<Candidate> = {}): Candidate => ({
  ticket: ticket as TicketId,
  volunteer: key(`of ${ticket}`),
  version: 5,
  tokens: 100,
  facts: { size },
  ...changes,
});
export const learned = <T>(...values: readonly T[]) => values.map((value) => ({ version: 0, value }));
/** Trust that has learned these gains. */
export const gaining = (...gains: readonly number[]): Trust => ({
  ...NO_TRUST,
  usual: { ...NOTHING_USUAL, gains: learned(...gains) },
});
/** Sizes around 1, and these volunteers found good. */
export const known = (...volunteers: string[]): Trust =>
  volunteers.reduce<Trust>((trust, name) => recordPass(trust, key(`of ${name}`), NONE), {
    ...NO_TRUST,
    usual: { ...NOTHING_USUAL, sizes: learned(0.9, 1, 1.1) },
  });
