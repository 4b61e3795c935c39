import { expect, test } from "vitest";
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

test("A25: a roll-back publishes the old weights as a new version, also after a restart, and voids old tickets", async () => {
  const tiny = await tinyRun({ settings: tinySettings({ snapshotEvery: 1 }) });
  await advance(volunteer, tiny, 2);
  const { modelHash } = tiny.run.status();
  await advance(volunteer, tiny, 1);
  const old = await volunteer.ticket(tiny.run);
  await volunteer.contribute(tiny.run, deltaOf(9)); // waits
  await expect(tiny.run.admin.rollback(77)).rejects.toMatchObject({ code: "not-found" });
  await tiny.run.admin.rollback(2);
  expect(tiny.run.status()).toMatchObject({ version: 4, modelHash });
  await expect(volunteer.send(tiny.run, uploadOf(old))).rejects.toMatchObject({ code: "stale" });
  expect(tiny.run.credit(volunteer.identity.key)).toMatchObject({ merged: 6, pending: 0 });
  expect(await tiny.run.versionRecord(4)).toMatchObject({
    merged: [],
    step: { rolledBackTo: 2 },
    model: modelHash,
  });

  const again = await restart(tiny);
  expect(again.run.status()).toMatchObject({ version: 4, modelHash });
  await advance(volunteer, again, 1);
  expect((await again.run.versionRecord(5)).previous).toMatch(/^[0-9a-f]{64}$/);
  await again.run.close();
});

test("A24: a banned volunteer gets no work and is refused, until it is forgiven, also after a restart", async () => {
  const tiny = await tinyRun();
  const ticket = await volunteer.ticket(tiny.run);
  await tiny.run.admin.ban(volunteer.identity.key);
  await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "banned" });
  await expect(volunteer.send(tiny.run, uploadOf(ticket))).rejects.toMatchObject({ code: "banned" });
  const again = await restart(tiny);
  await expect(volunteer.ticket(again.run)).rejects.toMatchObject({ code: "banned" });
  await again.run.admin.forgive(volunteer.identity.key);
  await volunteer.contribute(again.run);
  await again.run.close();
});

/** A run with a snapshot every second version, of which the newest is held up on its way to the disk. */
async function saving(keepSnapshots: number, versions: number) {
  const tiny = await tinyRun({ settings: tinySettings({ snapshotEvery: 2, keepSnapshots }) });
  const { store } = tiny.options;
  const put = store.put.bind(store);
  const { promise: goesOn, resolve: goOn } = Promise.withResolvers<void>();
  for (let version = 2; version < versions; version += 2) {
    await advance(volunteer, tiny, 2);
    await until(() => tiny.run.admin.snapshots.includes(version));
  }
  store.put = async (shelf, ...object) => {
    if (shelf === "snapshots") await goesOn;
    return put(shelf, ...object);
  };
  await advance(volunteer, tiny, 2);
  /** The snapshot is stored when whoever did not wait for it would have ended. */
  const later = async () => {
    for (let turn = 0; turn < 2_000; turn++) await new Promise((resolve) => setImmediate(resolve));
    goOn();
  };
  return { tiny, later };
}

test("A1, A25: a roll-back waits for a snapshot that is being stored: what that lets go of is not gone back to", async () => {
  const { tiny, later } = await saving(1, 4);
  expect(tiny.run.admin.snapshots).toEqual([2]);
  const back = tiny.run.admin.rollback(2).then(
    () => true,
    () => false,
  );
  await later();
  expect(await back).toBe(false);
  await until(() => tiny.run.admin.snapshots.includes(4));
  const { version, modelHash } = tiny.run.status();
  const again = await restart(tiny);
  expect(again.run.status()).toMatchObject({ version, modelHash });
  await again.run.close();
});

test("A1, A25: and what it keeps is, and stays, the control", async () => {
  const { tiny, later } = await saving(2, 6);
  expect(tiny.run.admin.snapshots).toEqual([4, 2]);
  const back = tiny.run.admin.rollback(4);
  await later();
  await back;
  await until(() => tiny.run.admin.snapshots.includes(6));
  expect(tiny.run.admin.snapshots).toEqual([7, 6, 4]);
  const { modelHash } = tiny.run.status();
  const again = await restart(tiny);
  expect(again.run.status()).toMatchObject({ version: 7, modelHash });
  await again.run.close();
});
