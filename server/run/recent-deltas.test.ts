import { expect, test } from "vitest";
import type { Hash, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { RolledBack } from "../coordinator/events.ts";
import { RecentDeltas } from "./recent-deltas.ts";

const hash = (n: number) => n.toString(16).padStart(64, "0") as Hash;
const ticketId = (n: number) => String(n).padStart(22, "0") as TicketId;
const volunteer = "0".repeat(43) as VolunteerKey;

/** What is remembered of a run whose versions are made of one delta each. */
class Told {
  readonly late = new RecentDeltas();
  #sequence = 0;
  #tickets = 0;

  accept(): TicketId {
    const ticket = ticketId(++this.#tickets);
    const event = { type: "accepted", at: 0, ticket, volunteer, delta: hash(99), version: 0 } as const;
    const report = { loss: 1, trainMs: 1, device: "" };
    this.late.add({ ...event, tokens: 32, position: 0, took: 1, report }, this.#sequence++, []);
    return ticket;
  }

  /** Closes a version, and publishes the next. */
  publish(version: number): TicketId {
    const ticket = this.close(version);
    const next = { version: version + 1, hash: hash(version + 1), diff: hash(97), diffBytes: 1 };
    const sealed = { record: hash(98), signature: "" as Signature };
    const ended = [{ ticket, version: version + 1 }];
    this.late.add({ type: "published", at: 0, ...next, ...sealed }, this.#sequence++, ended);
    return ticket;
  }

  /** Closes a version and leaves it at that. */
  close(version: number): TicketId {
    const ticket = this.accept();
    const merged = [{ ticket, weight: 1 }];
    this.late.add({ type: "closed", at: 0, version, merged }, this.#sequence++, []);
    return ticket;
  }

  back(version: number, to: number, reason: RolledBack["reason"] = "held-out loss"): Hash {
    const sealed = { record: hash(98), signature: "" as Signature };
    const event = { type: "rolled-back", at: 0, version, to, hash: hash(to), reason, ...sealed } as const;
    this.late.add(event, this.#sequence++, []);
    return event.hash;
  }

  /** Who is blamed, and by which weights. */
  get blamed(): readonly (readonly [TicketId, Hash])[] {
    return this.late.kept.flatMap(({ ticket, blamedOn }) =>
      blamedOn === undefined ? [] : [[ticket, blamedOn] as const],
    );
  }
}

test("A25: a roll-back blames what was merged since, and nothing that an earlier one took back", () => {
  const told = new Told();
  told.publish(0); // into version 1, which stays
  const first = told.publish(1);
  const on = told.back(3, 1);
  expect(told.blamed).toEqual([[first, on]]);
  told.late.add(
    { type: "audited", at: 0, ticket: first, volunteer, verdict: "unclear", reason: "no-gain", on },
    100,
    [],
  );
  const second = told.publish(3);
  told.back(5, 1);
  expect(told.blamed).toEqual([[second, on]]);
});

test("A25: nobody is blamed for what an operator took back, nor for what was closed and never merged", () => {
  const told = new Told();
  told.publish(0);
  told.back(2, 0, "operator");
  const merged = told.publish(2);
  told.close(3);
  const on = told.back(4, 0); // while version 4 was still to be made
  expect(told.blamed).toEqual([[merged, on]]);
});

test("A25: it is known which versions open inquiries look at", () => {
  const told = new Told();
  told.publish(0);
  expect(told.late.asked).toEqual([]);
  const on = told.back(2, 0);
  expect(told.late.asked).toEqual([{ on, from: 0 }]);
  const { ticket } = told.late.kept[0]!;
  const audited = {
    type: "audited",
    at: 0,
    ticket,
    volunteer,
    verdict: "unclear",
    reason: "no-gain",
  } as const;
  told.late.add({ ...audited, on }, 100, []);
  expect(told.late.asked).toEqual([]);
});

test("A25: a crowd's deltas do not have those forgotten who are blamed; whoever else is old is, and in the end they too", () => {
  const told = new Told();
  const others = told.accept();
  const harmful = told.publish(0);
  const on = told.back(2, 0);
  for (let i = 0; i < 600; i++) told.accept();
  const tickets = told.late.kept.map(({ ticket }) => ticket);
  expect(tickets).not.toContain(others);
  expect(tickets).toHaveLength(513);
  expect(told.blamed).toEqual([[harmful, on]]);
  for (let version = 2; version < 2_402; version += 2) {
    told.publish(version);
    told.back(version + 2, version);
  }
  expect(told.blamed).toHaveLength(1_024);
  expect(told.blamed.at(-1)?.[1]).toBe(hash(2_400));
});
