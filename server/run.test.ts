import { describe, expect, test } from "vitest";
import { bytesOf, toFloats, utf8 } from "../protocol/bytes.ts";
import { parseEvent, type RunEvent } from "../protocol/events.ts";
import { parseJson } from "../protocol/guards.ts";
import { sha256 } from "../protocol/identity.ts";
import type { Hash } from "../protocol/ids.ts";
import { MAX_LOSS } from "../protocol/limits.ts";
import { verifyReceipt } from "../protocol/receipt.ts";
import { verifyTicket } from "../protocol/ticket.ts";
import { MemoryFiles, systemError } from "../test/harness/memory-files.ts";
import {
  deltaOf,
  ManualClock,
  nonceOf,
  silentLog,
  TestVolunteer,
  type TinyRun,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../test/harness/tiny-run.ts";
import { applyDiff } from "./merge/merge.ts";
import type { Evaluation } from "./options.ts";
import { decodeRecord, encodeRecord } from "./run/record.ts";
import { DEFAULT_SETTINGS, SettingsError } from "./settings.ts";
import { Journal } from "./store/journal.ts";
import { memoryIndex } from "./store/memory-index.ts";
import { type Index, StoreError } from "./store/store.ts";

const volunteer = await TestVolunteer.create();

/** Two deltas, so a version. */
async function advance({ run }: TinyRun, versions = 1): Promise<void> {
  for (let i = 0; i < versions; i++) {
    const { version } = run.status();
    await volunteer.contribute(run, deltaOf(version));
    await volunteer.contribute(run, deltaOf(version + 0.5));
    await until(() => run.status().version === version + 1);
  }
}

/** The process ends without a word, and another opens what the disk holds. */
const restart = ({ files, clock }: TinyRun, survivors: "kill" | "drop" = "kill") =>
  tinyRun({ files: files.restart(survivors), clock });

describe("learning", () => {
  test("who asks right after the receipt that fills a version gets the next one", async () => {
    const { run } = await tinyRun();
    for (let version = 0; version < 3; version++) {
      await volunteer.contribute(run, deltaOf(version));
      await volunteer.contribute(run, deltaOf(version + 0.5));
      expect((await volunteer.ticket(run)).version).toBe(version + 1);
    }
    await run.close();
  });

  test("ten numbers pass through rounds, merge and store, and every replica follows to the byte", async () => {
    const tiny = await tinyRun();
    const { run } = tiny;
    let replica = toFloats(run.latestSnapshot().bytes);
    for (let version = 0; version < 7; version++) {
      const ticket = await volunteer.ticket(run);
      expect(ticket.version).toBe(version);
      expect(await sha256(bytesOf(replica))).toBe(ticket.hash);
      expect(await verifyTicket(run.manifest().server, ticket)).toBe(true);
      await advance(tiny);
      replica = applyDiff(replica, await run.diff(version));
    }
    expect(await sha256(bytesOf(replica))).toBe(run.latestSnapshot().hash);
    expect(run.credit(volunteer.identity.key)).toEqual({
      tokens: 14 * 32,
      merged: 14,
      pending: 0,
      refused: 0,
    });
    expect(run.status()).toMatchObject({
      version: 7,
      tokensMerged: 14 * 32,
      deltas: { merged: 14, refused: {} },
    });
    await run.close();
  });

  test("a lone volunteer moves the run by the deadline", async () => {
    const { run, clock } = await tinyRun();
    await volunteer.contribute(run);
    run.tick();
    expect(run.status().version).toBe(0);
    clock.ms += 2_000;
    run.tick();
    await until(() => run.status().version === 1);
    await run.close();
  });

  test("the run ends at its token budget and says so", async () => {
    const tiny = await tinyRun({ settings: tinySettings({ tokenBudget: 100 }) });
    const events: RunEvent[] = [];
    tiny.run.subscribe((event) => events.push(event));
    const late = uploadOf(await volunteer.ticket(tiny.run), deltaOf(99));
    await advance(tiny, 2);
    await until(() => tiny.run.manifest().state === "finished");
    expect(events.at(-1)).toEqual({ type: "state", state: "finished" });
    await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "run-finished" });
    await expect(volunteer.send(tiny.run, late)).rejects.toMatchObject({ code: "run-finished" });
    const again = await restart(tiny);
    expect(again.run.manifest().state).toBe("finished");
    expect(again.run.status().tokensMerged).toBe(128);
    await again.run.close();
  });

  test("a paused run keeps what is sent, merges none of it, and goes on where it was, also after a restart", async () => {
    const tiny = await tinyRun();
    const uploads = await Promise.all(
      [1, 2].map(async (n) => uploadOf(await volunteer.ticket(tiny.run), deltaOf(n))),
    );
    await tiny.run.pause();
    await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "run-paused" });
    for (const upload of uploads) await volunteer.send(tiny.run, upload);
    const again = await restart(tiny);
    expect(again.run.manifest()).toMatchObject({ state: "paused", version: 0 });
    expect(again.run.credit(volunteer.identity.key).pending).toBe(2);
    await again.run.resume();
    await until(() => again.run.status().version === 1);
    await again.run.close();
  });
});

describe("receipts", () => {
  test("the same upload a hundred times at once is applied once, with one receipt, also after a restart", async () => {
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
    await advance(again, 6); // the ticket's version is long stale, and its lease over
    again.clock.ms += 100_000;
    expect(await volunteer.send(again.run, upload)).toEqual(receipts[0]);
    expect(again.run.credit(volunteer.identity.key)).toMatchObject({ merged: 12, pending: 1 });
    expect(again.run.status().deltas.refused).toEqual({});
    await again.run.close();
  });

  test("another delta for a used ticket is refused, while the first is being written and after", async () => {
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
    await advance(tiny, 6);
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

  test("an index of another run, or ahead of the journal, is filled anew", async () => {
    const tiny = await tinyRun();
    await advance(tiny, 2);
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

  test("an index that lost a row: a delta sent again is not journaled twice, and the index is filled anew", async () => {
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
    await advance(tiny, 2);
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
    await advance(again);
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
    await advance(tiny);
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
        await advance(tiny, 5);
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
    await advance(control, version + 1);
    await advance(tiny);
    expect(tiny.run.latestSnapshot().hash).toBe(control.run.latestSnapshot().hash);
    await Promise.all([tiny.run.close(), control.run.close()]);
  });
});

describe("a disk that fails", () => {
  test("full: no receipt, the old model served, and on when there is space", async () => {
    const tiny = await tinyRun();
    await advance(tiny);
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

  test("full between receipts and the merge: the version waits and is published when there is space", async () => {
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

  test("an fsync that fails gives no receipt, and the next one is good", async () => {
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

describe("a run's beginning", () => {
  test("two runs from the same settings are two runs with one first model", async () => {
    const [a, b] = [await tinyRun(), await tinyRun()];
    expect(a.run.manifest().hash).toBe(b.run.manifest().hash);
    expect(a.run.manifest().run).not.toBe(b.run.manifest().run);
    await Promise.all([a.run.close(), b.run.close()]);
  });

  test("other settings than the run began with are an error that names them; the same are fine", async () => {
    const { run, files } = await tinyRun();
    await run.close();
    await expect(tinyRun({ files, settings: tinySettings({ quorum: 9, name: "x" }) })).rejects.toThrow(
      new SettingsError("the run in this directory began with other settings: name, quorum"),
    );
    const again = await tinyRun({ files });
    expect(again.run.manifest().run).toBe(run.manifest().run);
    await again.run.close();
  });

  test("another corpus, another key, or a journal gone from under its snapshots are refused", async () => {
    const tiny = await tinyRun();
    await advance(tiny, 3);
    await tiny.run.close();
    await expect(tinyRun({ files: tiny.files, corpus: await tinyCorpus(3) })).rejects.toThrow(/corpus/);
    const unkeyed = tiny.files.restart("kill");
    await unkeyed.remove("server.key");
    await expect(tinyRun({ files: unkeyed })).rejects.toThrow(/server\.key/);
    const unjournaled = tiny.files.restart("kill");
    await unjournaled.remove("journal/00000000.log");
    await expect(tinyRun({ files: unjournaled })).rejects.toThrow(StoreError);
  });

  test("settings that do not fit the corpus are refused, and nothing is begun", async () => {
    const corpus = await tinyCorpus(2, 8);
    const files = new MemoryFiles();
    await expect(tinyRun({ files, corpus })).rejects.toThrow(SettingsError);
    expect([await files.read("run.json"), await files.list("snapshots")]).toEqual([undefined, []]);
    const model = { layers: 1, heads: 1, width: 8, context: 7 };
    const { run } = await tinyRun({ files, corpus, settings: tinySettings({ model }) });
    await volunteer.contribute(run);
    await run.close();
  });

  test("the default run needs no settings", async () => {
    const { options, run, files } = await tinyRun({ settings: DEFAULT_SETTINGS });
    expect(options.settings).toBe(DEFAULT_SETTINGS);
    await run.close();
    expect(JSON.parse(new TextDecoder().decode(await files.read("run.json")))).toEqual(DEFAULT_SETTINGS);
  });
});

describe("what is kept", () => {
  const settings = tinySettings({ snapshotEvery: 2, keepSnapshots: 2, keepDiffs: 3 });

  test("snapshots, diffs and old frames go when a newer snapshot is durable; the run opens all the same", async () => {
    const tiny = await tinyRun({ settings, segmentBytes: 512 });
    const bytesOfJournal = async () => {
      let bytes = 0;
      for (const name of await tiny.files.list("journal")) {
        bytes += (await tiny.files.read(`journal/${name}`))!.length;
      }
      return bytes;
    };
    await advance(tiny, 20);
    const half = await bytesOfJournal();
    await tiny.run.close();
    const names = await tiny.files.list("snapshots");
    expect(names).toHaveLength(4); // two snapshots, each a file and its state
    expect((await tiny.files.list("diffs")).length).toBeLessThanOrEqual(5);
    const unstripped = await tinyRun({ settings: tinySettings({ snapshotEvery: 1_000 }), segmentBytes: 512 });
    await advance(unstripped, 20);
    expect(half).toBeLessThan(
      (
        await Promise.all(
          (await unstripped.files.list("journal")).map((name) => unstripped.files.read(`journal/${name}`)),
        )
      ).reduce((sum, bytes) => sum + bytes!.length, 0),
    );
    const again = await tinyRun({ files: tiny.files, settings, segmentBytes: 512 });
    expect(again.run.latestSnapshot().hash).toBe(unstripped.run.latestSnapshot().hash);
    await expect(again.run.diff(1)).rejects.toMatchObject({ code: "not-found" });
    await again.run.diff(19);
    await Promise.all([again.run.close(), unstripped.run.close()]);
  });

  test("a damaged newest snapshot is passed over for an older one, and the model is the same", async () => {
    const tiny = await tinyRun({ settings });
    await advance(tiny, 5);
    const { hash } = tiny.run.latestSnapshot();
    await tiny.run.close();
    const version4 = tiny.run.status().versions.find(({ version }) => version === 4)!.hash;
    for (const ending of ["safetensors", "state"]) {
      const files = tiny.files.restart("kill");
      files.flip(`snapshots/${version4}.${ending}`, 20, 3);
      const again = await tinyRun({ files, settings });
      expect(again.run.latestSnapshot().hash).toBe(hash);
      await again.run.close();
    }
  });

  test("a delta that waits while a snapshot is stored and old frames go is merged after a restart", async () => {
    const often = { settings: tinySettings({ snapshotEvery: 1, keepSnapshots: 1 }), segmentBytes: 64 };
    const tiny = await tinyRun(often);
    const disk = Promise.withResolvers<void>();
    const uploads = [];
    for (const name of [1, 2, 3]) {
      const other = await TestVolunteer.create();
      uploads.push({ other, upload: uploadOf(await other.ticket(tiny.run), deltaOf(name)) });
    }
    tiny.files.slow = disk.promise;
    const receipts = uploads.map(({ other, upload }) => other.send(tiny.run, upload));
    await until(() => tiny.files.operations > 0);
    disk.resolve();
    await Promise.all(receipts);
    await until(() => tiny.run.status().version === 1);
    await tiny.run.close(); // waits for the snapshot
    const again = await tinyRun({ files: tiny.files, ...often });
    again.clock.ms += 40_000;
    again.run.tick();
    await until(() => again.run.status().version === 2);
    expect(again.run.status().deltas.merged).toBe(3);
    await again.run.close();
  });

  test("a journal whose replay gives another hash than was published is refused", async () => {
    const tiny = await tinyRun({ segmentBytes: 64 });
    await advance(tiny, 2);
    await tiny.run.close();
    const journal = await Journal.open(tiny.files, { salt: () => 1, segmentBytes: 64 });
    await journal.strip(journal.length, (record) => {
      const { event, frame } = decodeRecord(record);
      if (event.type !== "closed") return record;
      return encodeRecord({ ...event, merged: event.merged.map((m, i) => ({ ...m, weight: i + 1 })) }, frame);
    });
    await journal.close();
    await expect(tinyRun({ files: tiny.files })).rejects.toThrow(/does not give the hash/);
  });

  test("what is not there is not found, whatever is asked", async () => {
    const tiny = await tinyRun();
    await advance(tiny);
    const { run } = tiny;
    for (const version of [-1, 1, 0.5, Number.NaN, 2 ** 53]) {
      await expect(run.diff(version)).rejects.toMatchObject({ code: "not-found" });
    }
    const nothing = "0".repeat(64) as Hash;
    await expect(run.snapshot(nothing)).rejects.toMatchObject({ code: "not-found" });
    await expect(run.snapshot("../server.key" as Hash)).rejects.toMatchObject({ code: "not-found" });
    await expect(run.shard(nothing)).rejects.toMatchObject({ code: "not-found" });
    expect(await run.snapshot(run.manifest().hash)).toEqual(run.latestSnapshot().bytes);
    await run.close();
  });
});

describe("evaluation", () => {
  test("the newest version is measured first, versions are published meanwhile, and the curve is durable", async () => {
    const asked: number[] = [];
    const answers: ((evaluation: Evaluation) => void)[] = [];
    const evaluator = {
      evaluate(version: number) {
        asked.push(version);
        return new Promise<Evaluation>((resolve) => answers.push(resolve));
      },
    };
    const tiny = await tinyRun({ evaluator });
    const events: RunEvent[] = [];
    tiny.run.subscribe((event) => events.push(event));
    await advance(tiny, 3);
    expect(asked).toEqual([0]);
    answers[0]?.({ loss: 5.5, sample: "noise" });
    await until(() => asked.length === 2);
    expect(asked).toEqual([0, 3]);
    answers[1]?.({ loss: 4.5, sample: "words" });
    const curve = [
      { version: 0, tokens: 0, loss: 5.5 },
      { version: 3, tokens: 192, loss: 4.5 },
    ];
    await until(() => tiny.run.status().heldOut.length === 2);
    expect(tiny.run.status()).toMatchObject({ heldOut: curve, sample: { version: 3, text: "words" } });
    expect(events.filter(({ type }) => type === "evaluation")).toHaveLength(2);
    const again = await restart(tiny, "drop");
    expect(again.run.status().heldOut).toEqual(curve);
    await again.run.close();
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1])(
    "a loss of %d is told and not kept, and the run opens again",
    async (loss) => {
      const warnings: object[] = [];
      const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
      const evaluator = {
        evaluate: async (version: number) => ({ loss: version === 0 ? loss : 3, sample: "" }),
      };
      const tiny = await tinyRun({ evaluator, log });
      await until(() => warnings.length === 1);
      expect(tiny.options.store.length).toBe(1); // created
      await advance(tiny);
      await until(() => tiny.run.status().heldOut.length === 1);
      const again = await restart(tiny, "drop");
      expect(again.run.status().heldOut).toEqual([{ version: 1, tokens: 64, loss: 3 }]);
      await again.run.close();
    },
  );

  test("a loss beyond all bounds is told as the highest that readers take", async () => {
    const evaluator = { evaluate: async () => ({ loss: 1e30, sample: "" }) };
    const tiny = await tinyRun({ evaluator });
    const events: RunEvent[] = [];
    tiny.run.subscribe((event) => events.push(event));
    await until(() => events.length === 1);
    expect(tiny.run.status().heldOut).toEqual([{ version: 0, tokens: 0, loss: MAX_LOSS }]);
    expect(parseEvent(parseJson(utf8(JSON.stringify(events[0]))))).toEqual(events[0]);
    await tiny.run.close();
  });

  test("an evaluator that fails stops nothing, and the next version is measured", async () => {
    const evaluator = {
      async evaluate(version: number) {
        if (version === 0) throw new Error("the worker died");
        return { loss: version, sample: "" };
      },
    };
    const tiny = await tinyRun({ evaluator });
    await advance(tiny, 2);
    await until(() => tiny.run.status().heldOut.some(({ version }) => version === 2));
    await tiny.run.close();
  });
});

test("the run clock knows neither downtime nor the wall: it goes on from the journal", async () => {
  const tiny = await tinyRun();
  tiny.clock.ms += 5_000;
  await volunteer.contribute(tiny.run);
  const far = new ManualClock();
  far.ms = 1e12; // another process's monotonic clock has another origin
  const again = await tinyRun({ files: tiny.files.restart("drop"), clock: far });
  expect((await volunteer.ticket(again.run)).issued).toBe(5_000);
  await again.run.close();
});

test("a subscriber that throws does not disturb the others, and one that left hears nothing", async () => {
  const tiny = await tinyRun();
  const heard: string[] = [];
  const leave = tiny.run.subscribe(() => heard.push("left"));
  tiny.run.subscribe(() => {
    throw new Error("bad listener");
  });
  tiny.run.subscribe(({ type }) => heard.push(type));
  leave();
  await advance(tiny);
  expect(heard).toEqual(["version"]);
  await tiny.run.close();
});

test("after close nothing is accepted", async () => {
  const { run, files } = await tinyRun({ files: new MemoryFiles() });
  const upload = uploadOf(await volunteer.ticket(run));
  await run.close();
  await expect(volunteer.send(run, upload)).rejects.toMatchObject({ code: "not-durable" });
  await expect(run.accept(volunteer.identity.key, nonceOf(5), upload)).rejects.toMatchObject({
    code: "bad-ticket",
  });
  expect((await tinyRun({ files })).run.status().version).toBe(0);
});
