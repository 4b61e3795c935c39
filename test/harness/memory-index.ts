import type { RunId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { AuditedAs } from "../../protocol/people.ts";
import {
  hourOf,
  type Index,
  type IndexedCredit,
  type IndexedDelta,
  type IndexedVersion,
} from "../../server/store/store.ts";

/** The index as plain maps. */
export function memoryIndex(): Index {
  const deltas = new Map<TicketId, IndexedDelta>();
  const ended = new Map<TicketId, number | null>();
  const counted = new Map<TicketId, number>();
  const revoked = new Set<TicketId>();
  const audits = new Map<TicketId, AuditedAs>();
  const versions = new Map<number, IndexedVersion>();
  let closed = 0;
  const credits = new Map<VolunteerKey, Omit<IndexedCredit, "recent">>();
  let applied = 0;
  let run: RunId | undefined;
  const hours = new Map<VolunteerKey, Map<number, number>>();
  const creditOf = (volunteer: VolunteerKey) =>
    credits.get(volunteer) ?? { tokens: 0, merged: 0, pending: 0, discarded: 0 };
  const grantAt = (volunteer: VolunteerKey, at: number, tokens: number) => {
    const mine = hours.get(volunteer) ?? new Map<number, number>();
    const hour = hourOf(at);
    hours.set(volunteer, mine.set(hour, (mine.get(hour) ?? 0) + tokens));
  };
  const grantHour = ({ volunteer, accepted }: IndexedDelta, tokens: number) =>
    grantAt(volunteer, accepted, tokens);
  const newestOf = (volunteer: VolunteerKey, most: number) =>
    [...deltas.values()]
      .filter((delta) => delta.volunteer === volunteer)
      .sort((a, b) => b.accepted - a.accepted || (a.ticket < b.ticket ? 1 : -1))
      .slice(0, most);
  const revoke = (ticket: TicketId) => {
    const delta = deltas.get(ticket);
    if (delta === undefined || revoked.has(ticket)) return;
    revoked.add(ticket);
    if (typeof ended.get(ticket) !== "number") return;
    const credit = creditOf(delta.volunteer);
    const granted = counted.get(ticket) ?? delta.tokens;
    credits.set(delta.volunteer, { ...credit, tokens: credit.tokens - granted });
    grantHour(delta, -granted);
  };
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
      counted.clear();
      revoked.clear();
      audits.clear();
      credits.clear();
      hours.clear();
      versions.clear();
      applied = 0;
      run = of;
    },
    apply(entries) {
      for (const entry of entries) {
        if (entry.type === "accepted") {
          const { delta } = entry;
          const credit = creditOf(delta.volunteer);
          deltas.set(delta.ticket, delta);
          credits.set(delta.volunteer, { ...credit, pending: credit.pending + 1 });
          continue;
        }
        if (entry.type === "closed") {
          closed = applied;
          continue;
        }
        if (entry.type === "published") {
          versions.set(entry.version, { closed, published: applied });
          continue;
        }
        if (entry.type === "audited") {
          audits.set(entry.ticket, entry.audit);
          continue;
        }
        if (entry.type === "earned") {
          const credit = creditOf(entry.volunteer);
          credits.set(entry.volunteer, { ...credit, tokens: credit.tokens + entry.tokens });
          grantAt(entry.volunteer, entry.at, entry.tokens);
          continue;
        }
        if (entry.type === "revoked") {
          revoke(entry.ticket);
          continue;
        }
        if (entry.type === "forfeited") {
          for (const { ticket } of newestOf(entry.volunteer, entry.deltas)) revoke(ticket);
          continue;
        }
        const delta = deltas.get(entry.ticket);
        if (delta === undefined || ended.has(entry.ticket)) continue;
        ended.set(entry.ticket, entry.version);
        if (entry.tokens !== undefined) counted.set(entry.ticket, entry.tokens);
        const credit = creditOf(delta.volunteer);
        const merged = entry.version === null ? 0 : 1;
        const granted = revoked.has(entry.ticket) ? 0 : merged * (entry.tokens ?? delta.tokens);
        grantHour(delta, granted);
        credits.set(delta.volunteer, {
          tokens: credit.tokens + granted,
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
    credit(volunteer, since) {
      const lately = [...(hours.get(volunteer) ?? [])].filter(([hour]) => hour >= hourOf(since));
      return { ...creditOf(volunteer), recent: lately.reduce((sum, [, tokens]) => sum + tokens, 0) };
    },
    deltasOf: (volunteer, most) =>
      newestOf(volunteer, most).map((delta) => ({
        ...delta,
        merged: ended.get(delta.ticket),
        counted: counted.get(delta.ticket),
        audit: audits.get(delta.ticket),
      })),
    close() {},
  };
}
