import { describe, expect, test } from "vitest";
import { verifyReceipt } from "../../protocol/receipt.ts";
import { systemError } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import {
  advance,
  deltaOf,
  ROUND_MS,
  restart,
  TestVolunteer,
  type TinyRun,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import { type Merger, mergeHere } from "../merge/merger.ts";
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

describe("refusals leave the model as it was", () => {
  const cases: [string, (tiny: TinyRun) => Promise<unknown>][] = [
    [
      "not-finite",
      async ({ run }) => {
        const upload = uploadOf(await volunteer.ticket(run));
        upload.frame.set([0, 0, 0xc0, 0x7f], 16);
        return volunteer.send(run, upload);
      },
    ],
    [
      "wrong-shape",
      async ({ run }) => volunteer.send(run, uploadOf(await volunteer.ticket(run), new Float32Array(9))),
    ],
    [
      "too-large",
      async ({ run }) => volunteer.send(run, uploadOf(await volunteer.ticket(run), new Float32Array(11))),
    ],
    [
      "norm-too-large",
      async ({ run }) =>
        volunteer.send(run, uploadOf(await volunteer.ticket(run), new Float32Array(10).fill(1e9))),
    ],
    [
      "not-your-ticket",
      async ({ run }) => {
        const thief = await TestVolunteer.create();
        return thief.send(run, uploadOf(await volunteer.ticket(run)));
      },
    ],
    [
      "bad-ticket",
      async ({ run }) => {
        const ticket = await volunteer.ticket(run);
        return volunteer.send(run, uploadOf({ ...ticket, version: 999_999 }));
      },
    ],
    [
      "lease-expired",
      async ({ run, clock }) => {
        const upload = uploadOf(await volunteer.ticket(run));
        clock.ms += 60_001;
        return volunteer.send(run, upload);
      },
    ],
    [
      "stale",
      async (tiny) => {
        const upload = uploadOf(await volunteer.ticket(tiny.run));
        await advance(volunteer, tiny, 5);
        return volunteer.send(tiny.run, upload);
      },
    ],
  ];

  test.each(cases)("%s", async (code, attempt) => {
    const tiny = await tinyRun();
    const control = await tinyRun();
    await expect(attempt(tiny)).rejects.toMatchObject({ code });
    expect(tiny.run.status().deltas.refused).toEqual({ [code]: 1 });
    // The control never met the attack: the same honest deltas give the same model.
    const { version } = tiny.run.status();
    await advance(volunteer, control, version + 1);
    await advance(volunteer, tiny);
    expect(tiny.run.latestSnapshot().hash).toBe(control.run.latestSnapshot().hash);
    await Promise.all([tiny.run.close(), control.run.close()]);
  });
});

describe("a disk that fails", () => {
  test("A3: full: no receipt, the old model served, and on when there is space", async () => {
    const tiny = await tinyRun();
    await advance(volunteer, tiny);
    const { hash } = tiny.run.latestSnapshot();
    const upload = uploadOf(await volunteer.ticket(tiny.run));
    tiny.files.capacity = 0;
    await expect(volunteer.send(tiny.run, upload)).rejects.toMatchObject({ code: "no-space" });
    expect(tiny.run.latestSnapshot().hash).toBe(hash);
    expect(tiny.run.credit(volunteer.identity.key).pending).toBe(0);
    tiny.files.capacity = Number.POSITIVE_INFINITY;
    const receipt = await volunteer.send(tiny.run, upload);
    const again = await restart(tiny, "drop");
    expect(await volunteer.send(again.run, upload)).toEqual(receipt);
    expect(again.run.latestSnapshot().hash).toBe(hash);
    await again.run.close();
  });

  test("A3: full between receipts and the merge: the version waits and is published when there is space", async () => {
    const tiny = await tinyRun();
    await volunteer.contribute(tiny.run, deltaOf(1));
    let attempts = 0;
    let full = true;
    tiny.files.before = ({ kind, path }) => {
      if (!full || kind !== "append" || !path.startsWith("diffs/")) return;
      attempts += 1;
      throw systemError("ENOSPC");
    };
    await volunteer.contribute(tiny.run, deltaOf(2));
    await until(() => attempts === 1);
    tiny.run.tick();
    tiny.run.tick();
    expect(attempts).toBe(1); // it rests before it tries again
    tiny.clock.ms += 1_000;
    tiny.run.tick();
    await until(() => attempts === 2);
    expect(tiny.run.status().version).toBe(0);
    full = false;
    tiny.clock.ms += 1_000;
    await until(() => {
      tiny.run.tick();
      return tiny.run.status().version === 1;
    });
    const control = await tinyRun();
    await volunteer.contribute(control.run, deltaOf(1));
    await volunteer.contribute(control.run, deltaOf(2));
    await until(() => control.run.status().version === 1);
    expect(tiny.run.latestSnapshot().hash).toBe(control.run.latestSnapshot().hash);
    await Promise.all([tiny.run.close(), control.run.close()]);
  });

  test("a merge that fails for a reason of its own pauses the run after three tries, and a resumed run tries again", async () => {
    let broken = true;
    let tries = 0;
    const merger: Merger = {
      merge: (rule, job) => {
        tries += 1;
        return broken ? Promise.reject(new Error("this never works")) : mergeHere.merge(rule, job);
      },
    };
    const tiny = await tinyRun({ merger });
    await volunteer.contribute(tiny.run, deltaOf(1));
    await volunteer.contribute(tiny.run, deltaOf(2));
    await until(() => {
      tiny.clock.ms += 1_000;
      tiny.run.tick();
      return tiny.run.status().state === "paused";
    });
    for (let i = 0; i < 20; i++) {
      tiny.clock.ms += 1_000;
      tiny.run.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tries).toBe(3);
    broken = false;
    await tiny.run.admin.resume();
    await until(() => {
      tiny.clock.ms += 1_000;
      tiny.run.tick();
      return tiny.run.status().version === 1;
    });
    expect(tiny.run.credit(volunteer.identity.key)).toMatchObject({ merged: 2, pending: 0 });
    await tiny.run.close();
  });

  test("a merge that takes long holds up no receipt, and who asks for work two seconds at most; control: a short one is waited for", async () => {
    const slow = Promise.withResolvers<void>();
    const merger: Merger = {
      merge: async (rule, job) => {
        await slow.promise;
        return mergeHere.merge(rule, job);
      },
    };
    const tiny = await tinyRun({ merger });
    const ahead = uploadOf(await volunteer.ticket(tiny.run), deltaOf(3));
    await volunteer.contribute(tiny.run, deltaOf(1));
    const other = await TestVolunteer.create();
    await other.contribute(tiny.run, deltaOf(2));
    tiny.clock.ms += ROUND_MS;
    tiny.run.tick(); // which closes version 0
    let given = 0;
    const asker = await TestVolunteer.create();
    const asked = asker.ticket(tiny.run).then((ticket) => {
      given++;
      return ticket;
    });
    await volunteer.send(tiny.run, ahead);
    tiny.clock.ms += 1_999;
    tiny.run.tick();
    await new Promise((resolve) => setImmediate(resolve));
    expect(given).toBe(0);
    tiny.clock.ms += 1;
    tiny.run.tick();
    expect(await asked).toMatchObject({ version: 0 });
    expect(await (await TestVolunteer.create()).ticket(tiny.run)).toMatchObject({ version: 0 });
    slow.resolve();
    await until(() => tiny.run.status().version === 1);
    await tiny.run.close();
  });

  test("A3: an fsync that fails gives no receipt, and the next one is good", async () => {
    const tiny = await tinyRun();
    const upload = uploadOf(await volunteer.ticket(tiny.run));
    let failures = 1;
    tiny.files.before = ({ kind }) => {
      if (kind === "sync" && failures-- > 0) throw systemError("EIO");
    };
    await expect(volunteer.send(tiny.run, upload)).rejects.toMatchObject({ code: "not-durable" });
    const receipt = await volunteer.send(tiny.run, upload);
    const again = await restart(tiny, "drop");
    expect(await volunteer.send(again.run, upload)).toEqual(receipt);
    await again.run.close();
  });
});
