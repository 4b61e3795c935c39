import type { RunId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Index, IndexedCredit, IndexedDelta, IndexedVersion } from "./store.ts";

/** The index as plain maps. */
export function memoryIndex(): Index {
  const deltas = new Map<TicketId, IndexedDelta>();
  const ended = new Map<TicketId, number | null>();
  const revoked = new Set<TicketId>();
  const versions = new Map<number, IndexedVersion>();
  let closed = 0;
  const credits = new Map<VolunteerKey, IndexedCredit>();
  let applied = 0;
  let run: RunId | undefined;
  const creditOf = (volunteer: VolunteerKey) =>
    credits.get(volunteer) ?? { tokens: 0, merged: 0, pending: 0, discarded: 0 };
  return {
    get applied() {
      return applied;
    },
    get run() {
      return run;
    },
    clear(of) {
      deltas.clear();
      ended.clear();
      revoked.clear();
      credits.clear();
      versions.clear();
      applied = 0;
      run = of;
    },
    apply(facts) {
      for (const fact of facts) {
        if (fact.type === "accepted") {
          const { delta } = fact;
          const credit = creditOf(delta.volunteer);
          deltas.set(delta.ticket, delta);
          credits.set(delta.volunteer, { ...credit, pending: credit.pending + 1 });
          continue;
        }
        if (fact.type === "closed") {
          closed = applied;
          continue;
        }
        if (fact.type === "published") {
          versions.set(fact.version, { closed, published: applied });
          continue;
        }
        const delta = deltas.get(fact.ticket);
        if (fact.type === "revoked") {
          if (delta === undefined || revoked.has(fact.ticket)) continue;
          revoked.add(fact.ticket);
          const credit = creditOf(delta.volunteer);
          const merged = typeof ended.get(fact.ticket) === "number";
          if (merged) credits.set(delta.volunteer, { ...credit, tokens: credit.tokens - delta.tokens });
          continue;
        }
        if (delta === undefined || ended.has(fact.ticket)) continue;
        ended.set(fact.ticket, fact.version);
        const credit = creditOf(delta.volunteer);
        const merged = fact.version === null ? 0 : 1;
        credits.set(delta.volunteer, {
          tokens: credit.tokens + (revoked.has(fact.ticket) ? 0 : merged * delta.tokens),
          merged: credit.merged + merged,
          pending: credit.pending - 1,
          discarded: credit.discarded + 1 - merged,
        });
      }
      applied += 1;
    },
    delta: (ticket) => deltas.get(ticket),
    end: (ticket) => ended.get(ticket),
    version: (version) => versions.get(version),
    credit: creditOf,
    close() {},
  };
}
