import { expect, test } from "vitest";
import { F32 } from "../../protocol/codec/codec.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { Hash, RunId, TicketId } from "../../protocol/ids.ts";
import { verifyReceipt } from "../../protocol/receipt.ts";
import { signTicket } from "../../protocol/ticket.ts";
import { deltaOf, nonceOf, tinySettings, until, uploadOf } from "../../test/harness/tiny-run.ts";
import { Ranges } from "../coordinator/ranges.ts";
import { begin } from "../coordinator/state.ts";
import type { IndexedDelta } from "../store/store.ts";
import type { Recordable } from "./event-log.ts";
import { Intake, type IntakeParts } from "./intake.ts";
import { JournalKeeper, type JournalKeeperParts } from "./journal-keeper.ts";

const hash = "0".repeat(64) as Hash;
const id = "a".repeat(64) as RunId;
const server = await createIdentity();
const volunteer = await createIdentity();
const ticket = await signTicket(server.privateKey, {
  ...{ run: id, id: nonceOf(1), volunteer: volunteer.key, version: 0, hash, shard: hash },
  ...{ window: 0, seed: 1, steps: 2, batch: 2, rates: [0.1, 0.1], fresh: false, lease: 1_000, issued: 0 },
});
const sender = { volunteer: volunteer.key, nonce: ticket.id };
const upload = uploadOf(ticket, deltaOf(1));

/** An intake whose journal writes when `disk` resolves, and what it did. */
function intakeOf({ disk = Promise.resolve(), closed = false, behind = 0, used = false } = {}) {
  const recorded: Recordable[] = [];
  const indexed = new Map<TicketId, IndexedDelta>();
  const done: string[] = [];
  const state = begin({ type: "created", at: 0, hash, genesis: {} });
  const run: IntakeParts["run"] & JournalKeeperParts["run"] = {
    state: { ...state, ...(used && { used: new Map([[ticket.id, 0]]) }) },
    closed,
    definition: {
      ...{ id, delta: F32, settings: tinySettings(), task: { parameters: 10 } },
      rules: { context: 8, ranges: new Ranges([{ hash, tokens: 8 * 40 + 1 }], 4, 8, 1) },
    },
    events: {
      record: async (event) => {
        recorded.push(event);
        await disk;
        if (event.type !== "accepted") return;
        const { volunteer, delta, version, tokens, at } = event;
        indexed.set(event.ticket, {
          ticket: event.ticket,
          volunteer,
          delta,
          version,
          tokens,
          accepted: at,
        });
      },
    },
    index: {
      behind,
      delta: (wanted) => indexed.get(wanted),
      rebuild: async () => void done.push("rebuild"),
    },
    quality: { gauge: undefined, audit: () => done.push("audit") },
  };
  const intake = new Intake({
    run,
    clock: { now: () => 500 },
    identity: { signer: server.privateKey },
    keep: new JournalKeeper({ run }).keep,
    async *entriesBefore() {},
  });
  return { intake, recorded, done };
}

test("A8: a delta sent again, while the first is written and after, is journaled once and has one receipt", async () => {
  const disk = Promise.withResolvers<void>();
  const { intake, recorded, done } = intakeOf({ disk: disk.promise });
  const twice = [intake.accept(sender, upload), intake.accept(sender, upload)];
  disk.resolve();
  const [first, second] = await Promise.all(twice);
  expect(second).toEqual(first);
  expect(await intake.accept(sender, upload)).toEqual(first);
  expect(recorded).toMatchObject([{ type: "accepted", at: 500, took: 500, tokens: 32, version: 0 }]);
  expect(done).toEqual(["audit"]);
  expect(await verifyReceipt(server.key, first!)).toBe(true);
});

test("A8: another delta for a ticket is refused, while the first is written and after", async () => {
  const disk = Promise.withResolvers<void>();
  const { intake, recorded } = intakeOf({ disk: disk.promise });
  const first = intake.accept(sender, upload);
  await until(() => recorded.length === 1); // else the other's signature may be checked sooner, and it is the first
  const other = () => intake.accept(sender, uploadOf(ticket, deltaOf(2)));
  await expect(other()).rejects.toMatchObject({ code: "ticket-used" });
  disk.resolve();
  await first;
  await expect(other()).rejects.toMatchObject({ code: "ticket-used" });
  expect(recorded).toHaveLength(1);
});

test("a delta that could not be written gets no receipt, and may be sent again", async () => {
  const disk = Promise.reject(new Error("the disk is full"));
  disk.catch(() => {}); // the uploads below get it
  const { intake, recorded, done } = intakeOf({ disk });
  for (let i = 0; i < 2; i++) {
    await expect(intake.accept(sender, upload)).rejects.toThrow("the disk is full");
  }
  expect(recorded).toHaveLength(2);
  expect(done).toEqual([]);
});

test("a used ticket that the index knows nothing of has the index filled again, and journals nothing", async () => {
  const { intake, recorded, done } = intakeOf({ used: true });
  await expect(intake.accept(sender, upload)).rejects.toMatchObject({
    code: "not-durable",
    retryAfterMs: 5_000,
  });
  expect([recorded, done]).toEqual([[], ["rebuild"]]);
});

test.each([{ closed: true }, { behind: 20_001 }])(
  "takes nothing that it could give no receipt for: %o",
  async (state) => {
    const { intake, recorded } = intakeOf(state);
    await expect(intake.accept(sender, upload)).rejects.toMatchObject({ code: "not-durable" });
    expect(recorded).toEqual([]);
  },
);
