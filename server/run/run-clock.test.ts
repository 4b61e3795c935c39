import { expect, onTestFinished, test, vi } from "vitest";
import { PowerLoss } from "../../test/harness/memory-files.ts";
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
import { decodeRecord } from "./record.ts";

/** Holds every signature that WebCrypto makes back from now on. */
function holdSigning(): { readonly begun: () => boolean; readonly release: () => void } {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const sign = crypto.subtle.sign.bind(crypto.subtle);
  const spy = vi.spyOn(crypto.subtle, "sign").mockImplementation(async (...args) => {
    await held;
    return sign(...args);
  });
  onTestFinished(() => spy.mockRestore());
  return { begun: () => spy.mock.calls.length > 0, release };
}

test("the run clock does not go back over a restart, however long signing a version takes", async () => {
  const tiny = await tinyRun();
  const { run, clock, files } = tiny;
  const [first, second] = [await TestVolunteer.create(), await TestVolunteer.create()];
  const volunteers = [first, second];
  const early = await Promise.all(volunteers.map((one) => one.ticket(run)));
  const late = await Promise.all(volunteers.map((one) => one.ticket(run)));
  const send = (tickets: typeof early) =>
    tickets.map((ticket, i) => volunteers[i]!.send(run, uploadOf(ticket, deltaOf(i))));
  const signing = holdSigning();
  const sent = send(early);
  await until(() => volunteers.every(({ identity }) => run.credit(identity.key).pending === 1));
  clock.ms += ROUND_MS;
  run.tick();
  await until(signing.begun); // of version 1: the server signs receipts another way
  // Before version 1 is signed, time passes, and the deltas of version 2 come.
  clock.ms += 50_000 - ROUND_MS;
  sent.push(...send(late));
  await until(() => volunteers.every(({ identity }) => run.credit(identity.key).pending === 2));
  // The power goes just after version 1 is published, before the journal can say any later time.
  files.before = () => {
    if (run.status().version === 1) throw new PowerLoss();
  };
  signing.release();
  await Promise.all(sent);
  await until(() => run.status().version === 1);
  const again = await restart(tiny);

  const times: number[] = [];
  for await (const { record } of again.options.store.records()) times.push(decodeRecord(record).event.at);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-1)).toBe(50_000);
  // Both deltas that wait are late: their version is made when its round is over.
  clock.ms += ROUND_MS;
  again.run.tick();
  await until(() => again.run.status().version === 2);
});

test("tokens a second are of the last minute of the run, also just after another server has opened it", async () => {
  const tiny = await tinyRun();
  const volunteer = await TestVolunteer.create();
  for (let version = 1; version <= 20; version++) {
    await advance(volunteer, tiny, 1);
    tiny.clock.ms += 4_000;
  }
  const { tokensPerSecond, tokensMerged } = tiny.run.status();
  expect(tokensPerSecond).toBeGreaterThan(0);
  expect(tokensPerSecond, "of the minute, which is not all of the run").toBeLessThan(tokensMerged / 60);
  const again = await restart(tiny, "kill");
  again.clock.ms += 100;
  const after = again.run.status().tokensPerSecond;
  expect(after / tokensPerSecond).toBeGreaterThan(0.8);
  expect(after / tokensPerSecond).toBeLessThan(1.3); // the run clock stood still since its last version
  await again.run.close();
});

test("of a run that is younger than a minute they are of its age", async () => {
  const tiny = await tinyRun();
  await advance(await TestVolunteer.create(), tiny, 1);
  tiny.clock.ms = 10_000;
  const { tokensPerSecond, tokensMerged } = tiny.run.status();
  expect(tokensPerSecond).toBe(tokensMerged / 10);
  await tiny.run.close();
});
