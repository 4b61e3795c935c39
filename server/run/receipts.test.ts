import { describe, expect, test } from "vitest";
import { verifyReceipt } from "../../protocol/receipt.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import {
  advance,
  deltaOf,
  restart,
  TestVolunteer,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import type { Index } from "../store/store.ts";

const volunteer = await TestVolunteer.create();

describe("receipts", () => {
  test("A8: the same upload a hundred times at once is applied once, with one receipt, also after a restart", async () => {
    const tiny = await tinyRun();
    const upload = uploadOf(await volunteer.ticket(tiny.run));
    const receipts = await Promise.all(Array.from({ length: 100 }, () => volunteer.send(tiny.run, upload)));
    expect(new Set(receipts.map((receipt) => JSON.stringify(receipt))).size).toBe(1);
    expect(await verifyReceipt(tiny.run.manifest().server, receipts[0]!)).toBe(true);
    expect(receipts[0]).toMatchObject({ ticket: upload.ticket.id, tokens: 32, version: 0 });
    expect(tiny.run.credit(volunteer.identity.key).pending).toBe(1);
    expect(tiny.options.store.length).toBe(2); // created, accepted

    const again = await restart(tiny, "drop");
    expect(await volunteer.send(again.run, upload)).toEqual(receipts[0]);
    await advance(volunteer, again, 6); // the ticket's version is long stale, and its lease over
    again.clock.ms += 100_000;
    expect(await volunteer.send(again.run, upload)).toEqual(receipts[0]);
    expect(again.run.credit(volunteer.identity.key)).toMatchObject({ merged: 12, pending: 1 });
    expect(again.run.status().deltas.refused).toEqual({});
    await again.run.close();
  });

  test("A8: another delta for a used ticket is refused, while the first is being written and after", async () => {
    const { run, files } = await tinyRun();
    const ticket = await volunteer.ticket(run);
    const disk = Promise.withResolvers<void>();
    files.slow = disk.promise;
    const before = files.operations;
    const first = volunteer.send(run, uploadOf(ticket, deltaOf(1)));
    await until(() => files.operations >= before + 2); // appended, and waiting for its fsync
    await expect(volunteer.send(run, uploadOf(ticket, deltaOf(2)))).rejects.toMatchObject({
      code: "ticket-used",
    });
    const again = volunteer.send(run, uploadOf(ticket, deltaOf(1)));
    disk.resolve();
    expect(await again).toEqual(await first);
    await expect(volunteer.send(run, uploadOf(ticket, deltaOf(3)))).rejects.toMatchObject({
      code: "ticket-used",
    });
    expect(run.credit(volunteer.identity.key)).toMatchObject({ pending: 1, refused: 2 });
    await run.close();
  });

  test("a ticket from before a restart is good for its lease", async () => {
    const tiny = await tinyRun();
    const upload = uploadOf(await volunteer.ticket(tiny.run));
    const again = await restart(tiny, "drop");
    await volunteer.send(again.run, upload);
    expect(again.run.credit(volunteer.identity.key).pending).toBe(1);
    await again.run.close();
  });

  test("an index that is lost is filled from the journal: receipts and credit are as they were", async () => {
    const tiny = await tinyRun({
      settings: tinySettings({ snapshotEvery: 2, keepSnapshots: 1 }),
      segmentBytes: 200,
    });
    const upload = uploadOf(await volunteer.ticket(tiny.run));
    const receipt = await volunteer.send(tiny.run, upload);
    await advance(volunteer, tiny, 6);
    const credit = tiny.run.credit(volunteer.identity.key);
    await tiny.run.close();
    const again = await tinyRun({
      files: tiny.files,
      settings: tinySettings({ snapshotEvery: 2, keepSnapshots: 1 }),
      segmentBytes: 200,
    });
    expect(await volunteer.send(again.run, upload)).toEqual(receipt);
    expect(again.run.credit(volunteer.identity.key)).toEqual(credit);
    await again.run.close();
  });

  test("an index of another run, or ahead of the journal, is rebuilt", async () => {
    const tiny = await tinyRun();
    await advance(volunteer, tiny, 2);
    const credit = tiny.run.credit(volunteer.identity.key);
    await tiny.run.close();
    const foreign = memoryIndex();
    foreign.clear("e".repeat(64) as never);
    for (let i = 0; i < 5; i++) foreign.apply([]);
    const ahead = memoryIndex();
    ahead.clear(tiny.run.manifest().run);
    for (let i = 0; i < 50; i++) ahead.apply([]);
    for (const index of [foreign, ahead]) {
      const again = await tinyRun({ files: tiny.files, index });
      expect(again.run.credit(volunteer.identity.key)).toEqual(credit);
      await again.run.close();
    }
  });

  test("A8: an index that lost a row: a delta sent again is not journaled twice, and the index is rebuilt", async () => {
    const index = memoryIndex();
    const lost = new Set<string>();
    const torn: Index = {
      ...index,
      get run() {
        return index.run;
      },
      get applied() {
        return index.applied;
      },
      clear(run) {
        lost.clear();
        index.clear(run);
      },
      delta: (ticket) => (lost.has(ticket) ? undefined : index.delta(ticket)),
    };
    const tiny = await tinyRun({ index: torn });
    await advance(volunteer, tiny, 2);
    const upload = uploadOf(await volunteer.ticket(tiny.run));
    const receipt = await volunteer.send(tiny.run, upload);
    const credit = tiny.run.credit(volunteer.identity.key);
    const again = await tinyRun({ files: tiny.files.restart("drop"), index: torn });
    lost.add(upload.ticket.id);
    const { length } = again.options.store;
    await expect(volunteer.send(again.run, upload)).rejects.toMatchObject({
      code: "not-durable",
      retryAfterMs: 5_000,
    });
    await until(() => index.applied === length);
    expect(await volunteer.send(again.run, upload)).toEqual(receipt);
    expect(again.options.store.length).toBe(length);
    expect(again.run.credit(volunteer.identity.key)).toEqual({ ...credit, refused: 1 });
    await advance(volunteer, again);
    expect(index.applied).toBe(again.options.store.length);
    const third = await restart(again, "drop");
    expect(third.run.latestSnapshot().hash).toBe(again.run.latestSnapshot().hash);
    await third.run.close();
  });

  test("an index that cannot be written stops nothing and is caught up", async () => {
    const index = memoryIndex();
    let broken = false;
    const flaky = {
      ...index,
      apply(facts: Parameters<typeof index.apply>[0]) {
        if (broken) throw new Error("disk full");
        index.apply(facts);
      },
      get run() {
        return index.run;
      },
      get applied() {
        return index.applied;
      },
    };
    const tiny = await tinyRun({ index: flaky });
    broken = true;
    const upload = uploadOf(await volunteer.ticket(tiny.run));
    const receipt = await volunteer.send(tiny.run, upload);
    expect(await volunteer.send(tiny.run, upload)).toEqual(receipt);
    broken = false;
    await advance(volunteer, tiny);
    expect(tiny.run.credit(volunteer.identity.key)).toMatchObject({ merged: 2, pending: 1 });
    await tiny.run.close();
  });
});
