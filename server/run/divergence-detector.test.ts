import { expect, test } from "vitest";
import {
  advance,
  countingRandom,
  silentLog,
  TestVolunteer,
  tinyRun,
  tinySettings,
  until,
} from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Auditor, Evaluator } from "../evaluate/ports.ts";

/** The held-out loss of each version, as a test wants it; no weights are looked at. */
const evaluatorOf = (losses: readonly number[]): Evaluator => ({
  evaluate: async (version) => ({ loss: losses[version] ?? losses.at(-1)!, sample: "" }),
});

/** On train text: the loss of a stored version is 3, and that of the current one what `current` says. */
const auditorOf = (current: () => number): Auditor => ({
  audit: async () => {
    const change = { before: 3, after: current() };
    return { assigned: change, gate: change };
  },
  direct: async () => new Float32Array(10),
  effects: async ({ frames }) => frames.map(() => [0]),
});

/** A run in which a version follows the other and each is measured; what it recorded and what its log warned of. */
async function curve(losses: readonly number[], auditor?: Auditor, trust: object = {}) {
  const events: DurableEvent[] = [];
  const counted = countingRandom();
  const told: string[] = [];
  const volunteer = await TestVolunteer.create();
  const tell = (_: object, line: string) => told.push(line);
  const tiny = await tinyRun({
    settings: tinySettings({ snapshotEvery: 2, keepSnapshots: 2, trust: { tripwire: 0.3, ...trust } }),
    evaluator: evaluatorOf(losses),
    random: (bytes) => (bytes === 4 ? new Uint8Array(4).fill(255) : counted(bytes)),
    ...(auditor && { auditor }),
    observe: (event) => events.push(event),
    log: { ...silentLog, warn: tell, error: tell },
  });
  const of = <T extends DurableEvent["type"]>(type: T) =>
    events.filter((event): event is Extract<DurableEvent, { type: T }> => event.type === type);
  const measured = (version: number) => until(() => of("evaluated").some((one) => one.version === version));
  await measured(0);
  for (let version = 1; version < losses.length; version++) {
    await advance(volunteer, tiny);
    await measured(version);
    // A snapshot is written beside the run: the next version is to find it there.
    if (version % 2 === 0) await until(() => tiny.run.admin.snapshots.includes(version));
  }
  return { tiny, of, told, volunteer };
}

/** As low as it gets at version 1, which is not stored whole any more when the loss has risen. */
const RISEN = [4, 3, 3.2, 3.3, 3.4, 3.6, 3.7, 4, 4.2];

test("A25: held-out loss that rises while the text that is trained on is learned by heart takes nothing back", async () => {
  const { tiny, of, told, volunteer } = await curve(
    RISEN,
    auditorOf(() => 2),
  );
  await until(() => told.some((line) => line.includes("goes on as it is")));
  expect(of("rolled-back")).toEqual([]);
  await advance(volunteer, tiny);
  expect(told).toHaveLength(1); // not again with every version
  await tiny.run.close();
});

test("A25, the control: where the loss on that text rose too, the run goes back to a version that is stored", async () => {
  let current = 4;
  const versions = auditorOf(() => current);
  const audit: Auditor["audit"] = (job) =>
    (job.ticket.rates.length > 0 ? auditorOf(() => 2) : versions).audit(job); // of a delta, which is good
  const { tiny, of } = await curve(RISEN, { ...versions, audit });
  await until(() => of("rolled-back").length === 1);
  current = 2.9;
  const { to, version } = of("rolled-back")[0]!;
  expect(to).toBeGreaterThan(1);
  // What is back is measured, and is as far above version 1 as ever: it is not taken back again.
  await until(() => of("evaluated").some((one) => one.version === version));
  await advance(await TestVolunteer.create(), tiny);
  expect(of("rolled-back")).toHaveLength(1);
  await tiny.run.close();
});

test("A25: what was found best may be gone by then: the run goes back to what is stored now", async () => {
  const { promise: looked, resolve: look } = Promise.withResolvers<void>();
  const slow = auditorOf(() => 4);
  const comparing: Auditor["audit"] = async (job) => {
    if (job.ticket.rates.length > 0) return auditorOf(() => 2).audit(job); // of a delta, which is good
    await looked;
    return slow.audit(job);
  };
  const { tiny, of, volunteer } = await curve(RISEN, { ...slow, audit: comparing });
  const before = tiny.run.admin.snapshots;
  await advance(volunteer, tiny, 6);
  await until(() => !before.some((version) => tiny.run.admin.snapshots.includes(version)));
  look();
  await until(() => of("rolled-back").length > 0);
  expect(before).not.toContain(of("rolled-back")[0]!.to);
  await tiny.run.close();
});

test("A25: a run that its operator takes back while versions are measured is not taken back once more", async () => {
  const { promise: looked, resolve: look } = Promise.withResolvers<void>();
  const slow = auditorOf(() => 4);
  let measured = 0;
  const comparing: Auditor["audit"] = async (job) => {
    if (job.ticket.rates.length > 0) return auditorOf(() => 2).audit(job);
    await looked;
    measured += 1;
    return slow.audit(job);
  };
  const { tiny, of } = await curve(RISEN, { ...slow, audit: comparing });
  await tiny.run.admin.rollback(tiny.run.admin.snapshots[0]!);
  const { version } = tiny.run.status();
  look();
  await until(() => measured >= 2 * 4 && of("evaluated").some((one) => one.version === version));
  await advance(await TestVolunteer.create(), tiny);
  expect(of("rolled-back").map(({ reason }) => reason)).toEqual(["operator"]);
  await tiny.run.close();
});

test("A25: the run goes back without that look where the auditor fails, as far as something is stored", async () => {
  const failing: Auditor = {
    ...auditorOf(() => 2),
    audit: async () => Promise.reject(new Error("the auditor's thread ended")),
  };
  const { tiny, of } = await curve([4, 3.4, 3.3, 3.2, 3, 4.2, 4.2], failing);
  await until(() => of("rolled-back").length > 0);
  expect(of("rolled-back")[0]).toMatchObject({ to: 4, reason: "held-out loss" });
  await tiny.run.close();
});

test("A25: a run without audits that has nothing stored to go back to says so and goes on", async () => {
  const { tiny, of, told, volunteer } = await curve(RISEN, undefined, { auditShare: 0 });
  await until(() => told.some((line) => line.includes("goes on as it is")));
  await advance(volunteer, tiny, 2);
  expect(of("rolled-back")).toEqual([]);
  await tiny.run.close();
});
