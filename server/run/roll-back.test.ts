import { expect, test } from "vitest";
import {
  advance,
  deltaOf,
  restart,
  TestVolunteer,
  tinyRun,
  tinySettings,
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
  await expect(tiny.run.rollback(77)).rejects.toMatchObject({ code: "not-found" });
  await tiny.run.rollback(2);
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
  await tiny.run.ban(volunteer.identity.key);
  await expect(volunteer.ticket(tiny.run)).rejects.toMatchObject({ code: "quarantined" });
  await expect(volunteer.send(tiny.run, uploadOf(ticket))).rejects.toMatchObject({ code: "quarantined" });
  const again = await restart(tiny);
  await expect(volunteer.ticket(again.run)).rejects.toMatchObject({ code: "quarantined" });
  await again.run.forgive(volunteer.identity.key);
  await volunteer.contribute(again.run);
  await again.run.close();
});
