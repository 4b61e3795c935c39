import { describe, expect, test } from "vitest";
import type { MemoryFiles } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import { advance, ManualClock, TestVolunteer, tinyRun, tinySettings } from "../../test/harness/tiny-run.ts";
import type { Index } from "../store/store.ts";

const volunteer = await TestVolunteer.create();
const settings = tinySettings({ snapshotEvery: 4, keepSnapshots: 2, keepDiffs: 5 });

/** A run of some versions that ended, and the index it leaves. */
async function lived(versions: number) {
  const index = memoryIndex();
  const tiny = await tinyRun({ settings, segmentBytes: 1_024, index });
  await advance(volunteer, tiny, versions);
  await tiny.run.close();
  return { files: tiny.files, index, status: tiny.run.status() };
}

/** Opens a run again, counting the journal's events that are read. */
async function reopened(files: MemoryFiles, index: Index) {
  let read = 0;
  const observe = () => {
    read += 1;
  };
  const tiny = await tinyRun({ files, settings, segmentBytes: 1_024, index, observe });
  return { ...tiny, read };
}

const newestCheckpoint = async (files: MemoryFiles, hash: string | undefined) =>
  (await files.list("snapshots")).find((name) => name === `${hash}.checkpoint`)!;

describe("a checkpoint", () => {
  test("lets a start read only what came after it, with the same result as reading all", async () => {
    const { files, index, status } = await lived(10);
    const short = await reopened(files.restart("kill"), index);
    const long = await reopened(files.restart("kill"), memoryIndex()); // a lost index asks for the whole journal
    expect(long.read).toBeGreaterThan(35); // 10 versions of 2 deltas, a close and a publication, and the creation
    expect(short.read).toBeLessThan(15);
    const { tokensPerSecond: _, volunteers: __, ...before } = status;
    for (const { run } of [short, long]) expect(run.status()).toMatchObject(before);
    await advance(volunteer, short, 3);
    expect(short.run.status().version).toBe(13);
    expect((await short.run.versionRecord(13)).version).toBe(13);
    await Promise.all([short.run.close(), long.run.close()]);
  });

  test("that is damaged, cut, or of another program is passed over", async () => {
    const { files, index, status } = await lived(10);
    const at8 = status.versions.find(({ version }) => version === 8)?.hash;
    const name = await newestCheckpoint(files, at8);
    const damages: ((copy: MemoryFiles) => void)[] = [
      (copy) => copy.flip(`snapshots/${name}`, 60, 2),
      (copy) => copy.flip(`snapshots/${name}`, 2, 2),
      (copy) => copy.cut(`snapshots/${name}`, 5),
      (copy) => copy.cut(`snapshots/${name}`, 0),
    ];
    for (const damage of damages) {
      const copy = files.restart("kill");
      damage(copy);
      const again = await reopened(copy, index);
      expect(again.run.status().modelHash).toBe(status.modelHash);
      expect(again.read).toBeGreaterThan(15); // from version 4's
      await again.run.close();
    }
  });

  test("is not used when the index lost what came before it", async () => {
    const { files, status } = await lived(10);
    const again = await reopened(files, memoryIndex());
    expect(again.run.status().modelHash).toBe(status.modelHash);
    expect(again.run.credit(volunteer.identity.key)).toMatchObject({ merged: 20, pending: 0 });
    await again.run.close();
  });
});

test("a journal that was cut short is reported with how much it lost; one that is whole is not", async () => {
  const { files, index, status } = await lived(10);
  const said: object[] = [];
  const log = {
    info() {},
    error() {},
    warn: (fields: object, message: string) => said.push({ ...fields, message }),
  };
  const open = (files: MemoryFiles) => tinyRun({ files, settings, segmentBytes: 1_024, index, log });
  await (await open(files.restart("kill"))).run.close();
  expect(said).toEqual([]);
  const indexed = index.applied;
  const copy = files.restart("kill");
  const segments = await copy.list("journal");
  for (const segment of segments.slice(segments.length / 2)) await copy.remove(`journal/${segment}`);
  const cut = await open(copy);
  const { version } = cut.run.status();
  expect(version).toBeLessThan(status.version);
  const records = index.applied;
  expect(said).toEqual([
    {
      records,
      indexed,
      lost: indexed - records,
      message: expect.stringContaining("has lost its last records"),
    },
  ]);
  await cut.run.close();
});

test("a long run's disk: frames, diffs and snapshots stay bounded, and history costs little a delta", {
  timeout: 120_000,
}, async () => {
  const clock = new ManualClock();
  const tiny = await tinyRun({ settings, segmentBytes: 16 * 1024, clock });
  const bytesOf = async (directory: string) => {
    let bytes = 0;
    for (const name of await tiny.files.list(directory)) {
      bytes += (await tiny.files.read(`${directory}/${name}`))!.length;
    }
    return bytes;
  };
  const sizes: { journal: number; rest: number }[] = [];
  for (let part = 0; part < 4; part++) {
    for (let i = 0; i < 250; i++) {
      clock.ms += 3_000;
      await advance(volunteer, tiny);
    }
    sizes.push({
      journal: await bytesOf("journal"),
      rest: (await bytesOf("snapshots")) + (await bytesOf("diffs")),
    });
  }
  await tiny.run.close();
  expect(sizes[3]!.rest).toBeLessThan(1.5 * sizes[0]!.rest);
  // The journal's growth is its history: two deltas, a close and a publication a version.
  const growth = (sizes[3]!.journal - sizes[1]!.journal) / 500;
  expect(growth).toBeLessThan(1_000);
  expect(growth).toBeGreaterThan(100); // it is kept, all of it
  const again = await tinyRun({ files: tiny.files, settings, segmentBytes: 16 * 1024 });
  expect(again.run.status().modelHash).toBe(tiny.run.status().modelHash);
  expect((await again.run.versionRecord(1)).merged).toHaveLength(2);
  await again.run.close();
});
