import { describe, expect, test } from "vitest";
import { concat } from "../../protocol/bytes.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { MemoryFiles } from "../../test/harness/memory-files.ts";
import { MemoryFiles as Files } from "../../test/harness/memory-files.ts";
import {
  advance,
  countingRandom,
  deltaOf,
  TestVolunteer,
  tinyCorpus,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
  vectorTask,
} from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import { decodeRecord, encodeEvent } from "../run/record.ts";
import { Journal } from "../store/journal.ts";
import { readOnlyStore } from "../store/read-only.ts";
import { joinRecord } from "../store/record-parts.ts";
import { verify } from "./verify.ts";

const volunteer = await TestVolunteer.create();
const corpus = await tinyCorpus();
const check = async (files: MemoryFiles) => verify(await readOnlyStore(files), corpus, vectorTask);

async function lived(versions: number, changes: Record<string, unknown> = {}) {
  const tiny = await tinyRun({ settings: tinySettings(changes), segmentBytes: 2_048, corpus });
  await advance(volunteer, tiny, versions);
  return tiny;
}

/** The directory with its journal written anew, every check right, by somebody who changed an event. */
async function forged(
  files: MemoryFiles,
  change: (event: DurableEvent, frame: Uint8Array) => [DurableEvent, Uint8Array] | undefined,
): Promise<MemoryFiles> {
  const copy = files.restart("kill");
  const old = await Journal.read(copy, { salt: () => 1 });
  const records: Uint8Array<ArrayBuffer>[] = [];
  for await (const { record } of old.records()) {
    const { event, frame } = decodeRecord(record);
    const changed = change(event, frame);
    if (changed === undefined) continue;
    const [next, kept] = changed;
    records.push(concat(...joinRecord(encodeEvent(next), kept)));
  }
  for (const name of await copy.list("journal")) await copy.remove(`journal/${name}`);
  const journal = await Journal.open(copy, { salt: () => 1 });
  for (const record of records) await journal.append(record);
  await journal.close();
  return copy;
}

describe("G5: verification", () => {
  test("of a whole run gives its hash, and of a pruned one too, with every record from the genesis", async () => {
    for (const [changes, from] of [
      [{ snapshotEvery: 1_000 }, 0],
      [{ snapshotEvery: 2, keepSnapshots: 2, keepDiffs: 3 }, 8],
    ] as const) {
      const tiny = await lived(11, changes);
      await tiny.run.close();
      const { version, modelHash, run } = tiny.run.status();
      const operations = tiny.files.operations;
      expect(await check(tiny.files)).toMatchObject({ run, version, model: modelHash, merged: 22, from });
      expect(tiny.files.operations).toBe(operations); // nothing was written, synced, renamed or removed
    }
  });

  test("A21: a version of oversized deltas alone moves by 1.5 usual steps, and its record says what they were divided by", async () => {
    const step = new Float32Array(10).fill(-0.05);
    const gains = { before: 3, after: 2 };
    const auditor = {
      audit: async () => ({ assigned: gains, gate: gains, distance: 0 }),
      direct: async () => step,
      effects: async ({ frames }: { frames: readonly unknown[] }) => frames.map(() => [0]),
    };
    const settings = tinySettings({
      ...{ outer: { kind: "average" }, downlink: "f32", snapshotEvery: 1_000 },
      trust: { auditShare: 1, rules: "clipped-mean" },
    });
    const counting = countingRandom();
    const random = (bytes: number) => (bytes < 8 ? new Uint8Array(bytes) : counting(bytes));
    const tiny = await tinyRun({ settings, segmentBytes: 2_048, corpus, auditor, random });
    const twice = async (values: Float32Array) => {
      const { version } = tiny.run.status();
      await volunteer.contribute(tiny.run, values);
      await volunteer.contribute(tiny.run, values);
      await until(() => tiny.run.status().version === version + 1);
    };
    const first = async () =>
      vectorTask().decode(await tiny.run.snapshot(tiny.run.status().modelHash as Hash))[0]!;
    for (let version = 0; version < 3; version++) await twice(step);
    const before = await first();
    await twice(step.map((value) => 5 * value));
    expect((await first()) - before).toBeCloseTo(1.5 * 0.05, 5); // the control, divided by their own weights: .25
    const [usual, odd] = await Promise.all([3, 4].map((version) => tiny.run.versionRecord(version)));
    expect(usual?.step).not.toHaveProperty("total");
    const sum = odd!.merged.reduce((all, { weight }) => all + weight, 0);
    expect(Number(odd!.step.total) / sum).toBeCloseTo(5 / 1.5, 5);
    await tiny.run.close();
    expect(await check(tiny.files)).toMatchObject({ version: 4, model: tiny.run.status().modelHash });
    const copy = await forged(tiny.files, (event, frame) => {
      if (event.type !== "closed" || event.total === undefined) return [event, frame];
      const { total: _, ...without } = event;
      return [without, frame];
    });
    await expect(check(copy)).rejects.toThrow(/version 4/);
  });

  test("runs beside a server that writes, on what is there", async () => {
    const tiny = await lived(2, { snapshotEvery: 1_000 });
    const disk = Promise.withResolvers<void>();
    const upload = uploadOf(await volunteer.ticket(tiny.run), deltaOf(9));
    tiny.files.slow = disk.promise;
    const before = tiny.files.operations;
    const sent = volunteer.send(tiny.run, upload);
    await until(() => tiny.files.operations > before);
    expect(await check(tiny.files)).toMatchObject({ version: 2 });
    disk.resolve();
    await sent;
    await advance(volunteer, tiny, 3);
    expect((await check(tiny.files)).version).toBeGreaterThanOrEqual(5);
    await tiny.run.close();
  });

  test("the control: a journal rewritten without a change verifies", async () => {
    const tiny = await lived(5);
    await tiny.run.close();
    const copy = await forged(tiny.files, (event, frame) => [event, frame]);
    expect(await check(copy)).toMatchObject({ version: 5, model: tiny.run.status().modelHash });
  });

  const first = (type: DurableEvent["type"]) => {
    let met = 0;
    return (event: DurableEvent) => event.type === type && ++met === 3;
  };
  test.each<[string, RegExp, Parameters<typeof forged>[1]]>([
    [
      "a weight",
      /version 3: the journal does not give the record/,
      ((third) => (event: DurableEvent, frame: Uint8Array) => {
        if (!third(event) || event.type !== "closed") return [event, frame] as [DurableEvent, Uint8Array];
        const merged = event.merged.map((one, i) => (i === 0 ? { ...one, weight: one.weight + 1 } : one));
        return [{ ...event, merged }, frame] as [DurableEvent, Uint8Array];
      })(first("closed")),
    ],
    [
      "the order of a merge",
      /version 3: the journal does not give the record/,
      ((third) => (event: DurableEvent, frame: Uint8Array) => {
        if (!third(event) || event.type !== "closed") return [event, frame] as [DurableEvent, Uint8Array];
        return [{ ...event, merged: event.merged.toReversed() }, frame] as [DurableEvent, Uint8Array];
      })(first("closed")),
    ],
    [
      "a delta",
      /is not the one that was receipted/,
      (
        (third) => (event: DurableEvent, frame: Uint8Array) =>
          [event, third(event) ? frame.map((byte) => byte ^ 1) : frame] as [DurableEvent, Uint8Array]
      )(first("accepted")),
    ],
    [
      "a delta's author",
      /does not give the record/,
      ((third) => (event: DurableEvent, frame: Uint8Array) => {
        if (!third(event) || event.type !== "accepted") return [event, frame] as [DurableEvent, Uint8Array];
        const { key } = stranger.identity;
        return [{ ...event, volunteer: key }, frame] as [DurableEvent, Uint8Array];
      })(first("accepted")),
    ],
    [
      "a record's signature",
      /signature is not the server's/,
      ((third) => (event: DurableEvent, frame: Uint8Array) => {
        if (!third(event) || event.type !== "published") return [event, frame] as [DurableEvent, Uint8Array];
        const other = event.signature.startsWith("A") ? "B" : "A";
        const signature = (other + event.signature.slice(1)) as typeof event.signature;
        return [{ ...event, signature }, frame] as [DurableEvent, Uint8Array];
      })(first("published")),
    ],
    [
      "a version",
      /contradicts itself|does not give the record/,
      (
        (third) => (event: DurableEvent, frame: Uint8Array) =>
          third(event) ? undefined : ([event, frame] as [DurableEvent, Uint8Array])
      )(first("published")),
    ],
  ])("finds %s that was changed, though every checksum is right", async (_what, wrong, change) => {
    const tiny = await lived(5, { snapshotEvery: 1_000 });
    await tiny.run.close();
    await expect(check(await forged(tiny.files, change))).rejects.toThrow(wrong);
  });

  test("finds a journal cut before a stored snapshot, and any stored file that was changed", async () => {
    const tiny = await lived(5, { snapshotEvery: 2, keepSnapshots: 2 });
    await tiny.run.close();
    const names = [
      ...(await tiny.files.list("snapshots")).filter((name) => !name.endsWith(".checkpoint")),
    ].map((name) => `snapshots/${name}`);
    const diffs = (await tiny.files.list("diffs")).map((name) => `diffs/${name}`);
    for (const path of [...names, ...diffs]) {
      tiny.files.flip(path, 18, 0);
      await expect(check(tiny.files), path).rejects.toThrow();
      tiny.files.flip(path, 18, 0);
    }
    expect(await check(tiny.files)).toMatchObject({ version: 5 });
    const cut = await forged(
      tiny.files,
      (() => {
        let over = false;
        return (event, frame) => {
          over ||= event.type === "published" && event.version === 4;
          return over ? undefined : [event, frame];
        };
      })(),
    );
    await expect(check(cut)).rejects.toThrow(/is of no version in the journal/);
    await expect(check(new Files())).rejects.toThrow("the journal is empty");
  });
});

const stranger = await TestVolunteer.create();

test("A25: a run that was rolled back verifies, and opens over a damaged snapshot, when what it went back to is long past", async () => {
  const settings = tinySettings({ snapshotEvery: 3, keepSnapshots: 3 });
  for (const since of [0, 1, 2, 5, 9]) {
    const tiny = await tinyRun({ settings, segmentBytes: 2_048, corpus });
    await advance(volunteer, tiny, 10);
    const [, , oldest] = tiny.run.admin.snapshots;
    await tiny.run.admin.rollback(oldest!);
    await advance(volunteer, tiny, 1);
    // A restart finds what it went back to, also before the next snapshot is stored.
    const again = await tinyRun({ files: tiny.files.restart("kill"), settings, segmentBytes: 2_048, corpus });
    await advance(volunteer, again, since);
    await again.run.close();
    const { version, modelHash } = again.run.status();
    expect(await check(again.files), `${since} versions later`).toMatchObject({ version, model: modelHash });
    const damaged = again.files.restart("kill");
    const [last] = again.run.admin.snapshots;
    if (last === 11) continue; // the only copy of what it went back to
    const { hash } = again.run.status().versions.find((one) => one.version === last)!;
    damaged.flip(`snapshots/${hash}.safetensors`, 20, 1);
    const over = await tinyRun({ files: damaged, settings, segmentBytes: 2_048, corpus });
    expect(over.run.status()).toMatchObject({ version, modelHash });
    await over.run.close();
  }
});
