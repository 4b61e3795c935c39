import { describe, expect, test } from "vitest";
import {
  type DeltaProof,
  parseProof,
  parseRecord,
  recordHash,
  type VersionRecord,
  verifyProof,
  verifyRecord,
} from "../../protocol/history.ts";
import { createIdentity } from "../../protocol/identity.ts";
import type { Hash, VolunteerKey } from "../../protocol/ids.ts";
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

const volunteer = await TestVolunteer.create();
const overTheWire = (value: unknown) => JSON.parse(JSON.stringify(value));

describe("the history of versions", () => {
  test("G1 G2: each record lists what was merged, is signed, and names the record before, back to the genesis", async () => {
    const tiny = await tinyRun();
    await advance(volunteer, tiny, 3);
    const { server, run: id } = tiny.run.manifest();
    let previous: string = id;
    for (let version = 1; version <= 3; version++) {
      const record = parseRecord(overTheWire(await tiny.run.versionRecord(version)));
      expect(record).toMatchObject({ run: id, version, previous });
      expect(record.merged.map(({ volunteer: by, weight }) => [by, weight > 0])).toEqual([
        [volunteer.identity.key, true],
        [volunteer.identity.key, true],
      ]);
      expect(record.step).toMatchObject({ outer: { kind: "average" }, downlink: expect.anything() });
      expect(await verifyRecord(server, record)).toBe(true);
      previous = await recordHash(record);
    }
    expect((await tiny.run.versionRecord(3)).model).toBe(tiny.run.manifest().hash);
    await expect(tiny.run.versionRecord(4)).rejects.toMatchObject({ code: "not-found" });
    await tiny.run.close();
  });

  test("G3: a record is the same after a restart, and when retention has let go of its deltas", async () => {
    const settings = tinySettings({ snapshotEvery: 1, keepSnapshots: 1, keepDiffs: 1 });
    const tiny = await tinyRun({ settings, segmentBytes: 512 });
    await advance(volunteer, tiny, 1);
    const record = await tiny.run.versionRecord(1);
    await advance(volunteer, tiny, 12);
    await tiny.run.close();
    const again = await restart(tiny);
    expect(await again.run.versionRecord(1)).toEqual(record);
    await again.run.close();
  });

  test("G4: a delta's proof holds for its owner, and for nobody and nothing else", async () => {
    const tiny = await tinyRun();
    const [upload, other] = [
      uploadOf(await volunteer.ticket(tiny.run)),
      uploadOf(await volunteer.ticket(tiny.run), deltaOf(2)),
    ];
    const { run, ticket, delta } = await volunteer.send(tiny.run, upload);
    await expect(tiny.run.proof(ticket)).rejects.toMatchObject({ code: "not-found" });
    await volunteer.send(tiny.run, other);
    await until(() => tiny.run.status().version === 1);
    const { server } = tiny.run.manifest();
    const own = { run, ticket, delta, volunteer: volunteer.identity.key };
    const proof = parseProof(overTheWire(await tiny.run.proof(ticket)));
    expect(proof.record.version).toBe(1);
    expect(await verifyProof(server, proof, own)).toBe(true);

    const zero = "0".repeat(64) as Hash;
    const stranger: VolunteerKey = (await createIdentity()).key;
    const changed = (change: Partial<VersionRecord>): DeltaProof => ({
      ...proof,
      record: { ...proof.record, ...change },
    });
    const heavier = proof.record.merged.map((entry) => ({ ...entry, weight: 2 * entry.weight }));
    for (const wrong of [
      { ...proof, position: 1 },
      { ...proof, position: 9 },
      changed({ merged: heavier }),
      changed({ version: 2 }),
      changed({ previous: zero }),
      changed({ step: {} }),
    ]) {
      expect(await verifyProof(server, wrong, own)).toBe(false);
    }
    expect(await verifyProof(stranger, proof, own)).toBe(false);
    expect(await verifyProof(server, proof, { ...own, delta: zero })).toBe(false);
    expect(await verifyProof(server, proof, { ...own, volunteer: stranger })).toBe(false);
    await tiny.run.close();
  });
});
