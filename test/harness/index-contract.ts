import { expect, test } from "vitest";
import type { Hash, RunId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { AuditedAs } from "../../protocol/people.ts";
import type { Index, IndexEntry, IndexedDelta } from "../../server/store/store.ts";

const run = "0".repeat(64) as RunId;

export const indexedDelta = (n: number, volunteer = "v", tokens = 10): IndexedDelta => ({
  ticket: String(n).padStart(22, "t") as TicketId,
  volunteer: volunteer.padStart(43, "k") as VolunteerKey,
  delta: n.toString(16).padStart(64, "0") as Hash,
  version: n,
  tokens,
  accepted: 1_000 + n,
});

/** What every Index promises. `reopen` gives what the next process finds. */
export function indexContract(
  open: () => Index | Promise<Index>,
  reopen?: (index: Index) => Index | Promise<Index>,
): void {
  const accepted = (delta: IndexedDelta): IndexEntry => ({ type: "accepted", delta });
  const ended = ({ ticket }: IndexedDelta, version: number | null): IndexEntry => ({
    type: "ended",
    ticket,
    version,
  });
  const nobody = { tokens: 0, recent: 0, merged: 0, pending: 0, discarded: 0 };

  test("credit is granted when a delta is merged, once", async () => {
    const index = await open();
    index.clear(run);
    const [a, b, c] = [indexedDelta(1, "x", 10), indexedDelta(2, "x", 20), indexedDelta(3, "y", 5)];
    index.apply([accepted(a)]);
    index.apply([accepted(b), accepted(c)]);
    expect(index.credit(a.volunteer, 0)).toEqual({ ...nobody, pending: 2 });
    const granted = { tokens: 10, recent: 10, merged: 1, pending: 1, discarded: 0 };
    index.apply([ended(a, 1), ended(c, null)]);
    expect(index.credit(a.volunteer, 0)).toEqual(granted);
    expect(index.credit(c.volunteer, 0)).toEqual({ ...nobody, discarded: 1 });
    index.apply([ended(a, 2), ended(a, null)]);
    expect(index.credit(a.volunteer, 0)).toEqual(granted);
    expect(index.credit(indexedDelta(0, "nobody").volunteer, 0)).toEqual(nobody);
    expect(index.applied).toBe(4);
    index.close();
  });

  test("recent credit is that of deltas accepted since, and goes with a delta found bad", async () => {
    const index = await open();
    index.clear(run);
    const hour = 3_600_000;
    const [old, young] = [indexedDelta(1, "x", 10), { ...indexedDelta(2, "x", 20), accepted: 5 * hour + 7 }];
    index.apply([accepted(old), accepted(young)]);
    index.apply([ended(old, 1), ended(young, 1)]);
    const recent = (since: number) => index.credit(old.volunteer, since).recent;
    expect([recent(0), recent(hour), recent(5 * hour + 99), recent(6 * hour)]).toEqual([30, 20, 20, 0]);
    index.apply([{ type: "revoked", ticket: young.ticket }]);
    expect([recent(0), recent(hour)]).toEqual([10, 0]);
    index.close();
  });

  test("a delta that counted for fewer tokens than its own grants those, and no more goes with it", async () => {
    const index = await open();
    index.clear(run);
    const [capped, whole] = [indexedDelta(1, "x", 10), indexedDelta(2, "x", 20)];
    index.apply([accepted(capped), accepted(whole)]);
    index.apply([{ ...ended(capped, 1), tokens: 3 } as IndexEntry, ended(whole, 1)]);
    const credit = () => index.credit(capped.volunteer, 0);
    expect(credit()).toMatchObject({ tokens: 23, recent: 23, merged: 2 });
    expect(index.deltasOf(capped.volunteer, 9).map(({ counted }) => counted)).toEqual([undefined, 3]);
    expect(index.delta(capped.ticket)?.tokens).toBe(10); // its receipt's
    index.apply([{ type: "revoked", ticket: capped.ticket }]);
    expect(credit()).toMatchObject({ tokens: 20, recent: 20 });
    index.close();
  });

  test("a volunteer forfeits its newest deltas, merged or not yet, and nobody else loses anything", async () => {
    const index = await open();
    index.clear(run);
    const [old, merged, waiting] = [1, 2, 4].map((n) => indexedDelta(n, "x")) as [
      IndexedDelta,
      IndexedDelta,
      IndexedDelta,
    ];
    const other = indexedDelta(3, "y");
    index.apply([old, merged, other, waiting].map(accepted));
    index.apply([ended(old, 1), ended(merged, 1), ended(other, 1)]);
    index.apply([{ type: "forfeited", volunteer: old.volunteer, deltas: 2 }]);
    index.apply([ended(waiting, 2)]);
    expect(index.credit(old.volunteer, 0)).toMatchObject({ tokens: 10, recent: 10, merged: 3 });
    expect(index.credit(other.volunteer, 0)).toMatchObject({ tokens: 10 });
    index.apply([{ type: "forfeited", volunteer: old.volunteer, deltas: 9 }]);
    expect(index.credit(old.volunteer, 0)).toMatchObject({ tokens: 0, recent: 0 });
    index.close();
  });

  test("credit for audits is a volunteer's own, counts as recent by its hour, and takes no delta", async () => {
    const index = await open();
    index.clear(run);
    const { volunteer } = indexedDelta(1, "x");
    const hour = 3_600_000;
    index.apply([{ type: "earned", volunteer, tokens: 5, at: 7 }]);
    index.apply([{ type: "earned", volunteer, tokens: 7, at: 3 * hour }]);
    const none = { merged: 0, pending: 0, discarded: 0 };
    expect(index.credit(volunteer, 0)).toEqual({ tokens: 12, recent: 12, ...none });
    expect(index.credit(volunteer, hour).recent).toBe(7);
    index.clear(run);
    expect(index.credit(volunteer, 0)).toEqual({ tokens: 0, recent: 0, ...none });
    index.close();
  });

  test("what the newest audit found of a delta is told with it, and goes when all is forgotten", async () => {
    const index = await open();
    index.clear(run);
    const [one, other] = [indexedDelta(1, "x"), indexedDelta(2, "x")];
    index.apply([accepted(one), accepted(other)]);
    const audited = (audit: AuditedAs): IndexEntry => ({ type: "audited", ticket: one.ticket, audit });
    index.apply([audited({ verdict: "good", reason: "recomputed" })]);
    index.apply([audited({ verdict: "bad", reason: "mismatch" })]);
    const told = () => new Map(index.deltasOf(one.volunteer, 9).map(({ ticket, audit }) => [ticket, audit]));
    expect(told().get(one.ticket)).toEqual({ verdict: "bad", reason: "mismatch" });
    expect(told().get(other.ticket)).toBeUndefined();
    index.clear(run);
    expect(told().size).toBe(0);
    index.close();
  });

  test("deltas are found by ticket, with all that a receipt says", async () => {
    const index = await open();
    index.clear(run);
    const delta = indexedDelta(7);
    expect(index.delta(delta.ticket)).toBeUndefined();
    index.apply([accepted(delta)]);
    expect(index.delta(delta.ticket)).toEqual(delta);
    index.apply([ended(delta, 9)]);
    expect(index.delta(delta.ticket)).toEqual(delta);
    index.close();
  });

  test("clearing forgets everything and names the run", async () => {
    const index = await open();
    expect([index.run, index.applied]).toEqual([undefined, 0]);
    index.clear(run);
    const delta = indexedDelta(7);
    index.apply([accepted(delta)]);
    const other = "1".repeat(64) as RunId;
    index.clear(other);
    expect([index.run, index.applied, index.delta(delta.ticket)]).toEqual([other, 0, undefined]);
    expect(index.credit(delta.volunteer, 0)).toEqual(nobody);
    index.close();
  });

  if (reopen === undefined) return;

  test("another process finds how far it came", async () => {
    let index = await open();
    index.clear(run);
    const delta = indexedDelta(7);
    index.apply([]);
    index.apply([accepted(delta)]);
    index = await reopen(index);
    expect([index.run, index.applied, index.delta(delta.ticket)]).toEqual([run, 2, delta]);
    index.apply([ended(delta, 1)]);
    expect(index.credit(delta.volunteer, 0).merged).toBe(1);
    index.close();
  });
}
