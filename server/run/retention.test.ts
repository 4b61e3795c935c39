import { describe, expect, test } from "vitest";
import { concat } from "../../protocol/bytes.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Upload } from "../../protocol/upload.ts";
import {
  advance,
  deltaOf,
  ROUND_MS,
  TestVolunteer,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import { Journal } from "../store/journal.ts";
import { decodeRecord, encodeRecord } from "./record.ts";

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

  test("a journal whose replay gives another hash than was published is refused", async () => {
    const tiny = await tinyRun({ segmentBytes: 64 });
    await advance(volunteer, tiny, 2);
    await tiny.run.close();
    const journal = await Journal.open(tiny.files, { salt: () => 1, segmentBytes: 64 });
    await journal.strip(journal.length, (record) => {
      const { event, frame } = decodeRecord(record);
      if (event.type !== "closed") return record;
      const merged = event.merged.map((m, i) => ({ ...m, weight: i + 1 }));
      return concat(...encodeRecord({ ...event, merged }, frame));
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
