import { describe, expect, test, vi } from "vitest";
import { concat } from "../../protocol/bytes.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Upload } from "../../protocol/upload.ts";
import {
  advance,
  deltaOf,
  ROUND_MS,
  TestVolunteer,
  type TinyRun,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import { Journal } from "../store/journal.ts";
import { joinRecord } from "../store/record-parts.ts";
import { decodeRecord, encodeEvent } from "./record.ts";

const volunteer = await TestVolunteer.create();

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
    await advance(volunteer, tiny, 20);
    const half = await bytesOfJournal();
    await tiny.run.close();
    const names = await tiny.files.list("snapshots");
    expect(names).toHaveLength(6); // two snapshots, each a file, its state and a checkpoint
    expect((await tiny.files.list("diffs")).length).toBeLessThanOrEqual(5);
    const unstripped = await tinyRun({ settings: tinySettings({ snapshotEvery: 1_000 }), segmentBytes: 512 });
    await advance(volunteer, unstripped, 20);
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
    await advance(volunteer, tiny, 5);
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
    const uploads: { other: TestVolunteer; upload: Upload }[] = [];
    const [first, second] = [await TestVolunteer.create(), await TestVolunteer.create()];
    for (const [name, other] of [first, second, first].entries()) {
      uploads.push({ other, upload: uploadOf(await other.ticket(tiny.run), deltaOf(name)) });
    }
    const send = ({ other, upload }: (typeof uploads)[number]) => other.send(tiny.run, upload);
    await Promise.all(uploads.slice(0, 2).map(send));
    tiny.files.slow = disk.promise;
    const { operations } = tiny.files;
    tiny.clock.ms += ROUND_MS;
    tiny.run.tick(); // closes the version with two of them
    const third = send(uploads[2]!);
    await until(() => tiny.files.operations > operations);
    disk.resolve();
    await third;
    await until(() => tiny.run.status().version === 1);
    await tiny.run.close(); // waits for the snapshot
    const again = await tinyRun({ files: tiny.files, ...often });
    again.clock.ms += 40_000;
    again.run.tick();
    await until(() => again.run.status().version === 2);
    expect(again.run.status().deltas.merged).toBe(3);
    await again.run.close();
  });

  test("a server whose run another has taken over stops, keeps nothing and removes none of the other's files", async () => {
    const often = { settings: tinySettings({ snapshotEvery: 1, keepSnapshots: 1 }) };
    const tiny = await tinyRun(often);
    await advance(volunteer, tiny, 2);
    const settled = ({ run, files }: TinyRun, version: number) =>
      vi.waitFor(async () => {
        expect(run.admin.snapshots).toEqual([version]);
        expect(await files.list("snapshots")).toHaveLength(3);
      });
    await settled(tiny, 2);
    const late = uploadOf(await volunteer.ticket(tiny.run), deltaOf(7));
    const other = await tinyRun({ files: tiny.files, ...often });
    await advance(await TestVolunteer.create(), other, 2);
    await settled(other, 4);
    const theirs = async () => [await tiny.files.list("snapshots"), await tiny.files.list("diffs")];
    const before = await theirs();
    expect(tiny.run.deposed.aborted).toBe(false);
    await expect(volunteer.send(tiny.run, late)).rejects.toMatchObject({
      code: "not-durable",
      retryAfterMs: 5_000,
    });
    expect(tiny.run.deposed.aborted).toBe(true);
    await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "run-paused" });
    for (let i = 0; i < 5; i++) {
      tiny.clock.ms += ROUND_MS;
      tiny.run.tick();
    }
    await tiny.run.close();
    expect(await theirs()).toEqual(before);
    await advance(await TestVolunteer.create(), other, 1);
    const { hash } = other.run.latestSnapshot();
    await other.run.close();
    const again = await tinyRun({ files: tiny.files, ...often });
    expect(again.run.latestSnapshot().hash).toBe(hash);
    await again.run.close();
  });

  test("what a write that was cut short has left of a snapshot goes with the next one, and a stranger's file does not", async () => {
    const often = { settings: tinySettings({ snapshotEvery: 1, keepSnapshots: 1 }) };
    const tiny = await tinyRun(often);
    const left = `snapshots/${"5".repeat(64)}.state`;
    await (await tiny.files.open(left)).append(new Uint8Array(4));
    await tiny.run.close();
    const again = await tinyRun({ files: tiny.files, ...often });
    const since = `snapshots/${"6".repeat(64)}.state`;
    await (await tiny.files.open(since)).append(new Uint8Array(4)); // by a successor, say
    await advance(volunteer, again, 2);
    await again.run.close();
    expect([await tiny.files.size(left), await tiny.files.size(since)]).toEqual([undefined, 4]);
  });

  test("a journal whose replay gives another hash than was published is refused", async () => {
    const tiny = await tinyRun({ segmentBytes: 64 });
    await advance(volunteer, tiny, 2);
    await tiny.run.close();
    const journal = await Journal.open(tiny.files, { salt: () => 1, segmentBytes: 64 });
    await journal.strip(journal.length, (record) => {
      const { event, frame } = decodeRecord(record);
      if (event.type !== "closed") return record;
      const merged = event.merged.map((m, i) => ({ ...m, weight: i + 1 }));
      return concat(...joinRecord(encodeEvent({ ...event, merged }), frame));
    });
    await journal.close();
    await expect(tinyRun({ files: tiny.files })).rejects.toThrow(/does not give the hash/);
  });

  test("what is not there is not found, whatever is asked", async () => {
    const tiny = await tinyRun();
    await advance(volunteer, tiny);
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
