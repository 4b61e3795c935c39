import { describe, expect, test } from "vitest";
import { systemError } from "../../test/harness/memory-files.ts";
import {
  advance,
  deltaOf,
  ROUND_MS,
  restart,
  TestVolunteer,
  tinyRun,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import { type Merger, mergeHere } from "../merge/merger.ts";

const volunteer = await TestVolunteer.create();

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
