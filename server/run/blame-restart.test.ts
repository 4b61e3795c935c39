import { expect, test } from "vitest";
import {
  auditorThat,
  betray,
  luckless,
  NOWHERE,
  of,
  reopened,
  STEP,
  trusting,
} from "../../test/harness/mole.ts";
import { TestVolunteer, type TinyRun, until } from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import { begin } from "../coordinator/state.ts";
import type { Auditor } from "../evaluate/ports.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";

/** Blame that waits for its audits outlives the process. */

/** An auditor that begins, once that is so, what it never ends. */
function stalling(stalled: () => boolean): Auditor {
  const auditor = auditorThat(NOWHERE);
  const audit: Auditor["audit"] = (job) => (stalled() ? new Promise(() => {}) : auditor.audit(job));
  return { ...auditor, audit };
}

/** The process is killed when the run has gone back and before anybody is audited for it; what the disk holds. */
async function killedAfterRollBack() {
  const told: DurableEvent[] = [];
  const auditor = stalling(() => of(told, "rolled-back").length > 0);
  const swarm = await trusting(0.05, auditor, told);
  await betray(swarm);
  await until(() => of(swarm.events, "rolled-back").length > 0);
  const harmed = of(swarm.events, "published").find(({ version }) => version === 5)?.hash;
  const stored = async () => (await swarm.tiny.files.list("snapshots")).includes(`${harmed}.checkpoint`);
  while (!(await stored())) await new Promise((resolve) => setImmediate(resolve));
  const files = swarm.tiny.files.restart("kill");
  await swarm.tiny.run.close();
  return { ...swarm, files };
}

/** Somebody new sends twice and is audited: by then both are audited that waited at the start, since they come by turns. */
async function proven({ tiny, events }: { tiny: TinyRun; events: readonly DurableEvent[] }) {
  const newcomer = await TestVolunteer.create();
  await newcomer.contribute(tiny.run, STEP);
  await newcomer.contribute(tiny.run, STEP);
  const audited = () => of(events, "audited").filter(({ volunteer }) => volunteer === newcomer.identity.key);
  await until(() => audited().length === 2);
  return newcomer.identity.key;
}

const badOf = (events: readonly DurableEvent[]) =>
  of(events, "audited").filter(({ verdict }) => verdict === "bad");

test.each([
  ["the checkpoint", true],
  ["the whole journal", false],
])(
  "A25: who is blamed outlives a kill between the roll-back and the audits, read from %s",
  async (_, kept) => {
    const { files, index, mole, honest } = await killedAfterRollBack();
    const { run, events } = await reopened(files, kept ? index : undefined);
    await until(() => badOf(events).length === 2);
    expect(badOf(events).every(({ volunteer }) => volunteer === mole.identity.key)).toBe(true);
    await expect(mole.ticket(run)).rejects.toMatchObject({ code: "quarantined" });
    await honest.ticket(run);
    const last = events.at(-1)!.at + 1;
    await run.close();
    // It is answered now: another start has nobody audited again.
    const third = await reopened(files.restart("kill"), kept ? index : undefined);
    const newcomer = await proven(third);
    const later = of(third.events, "audited").filter(
      ({ at, volunteer }) => at >= last && volunteer !== newcomer,
    );
    expect(later).toEqual([]);
    await third.run.close();
  },
);

test.each([
  ["good", 2],
  ["bad", 1],
] as const)(
  "A25: an audit that had waited since before the roll-back and is %s leaves %i to be audited after a kill",
  async (word, left) => {
    const told: DurableEvent[] = [];
    const { promise: measured, resolve: measure } = Promise.withResolvers<void>();
    let [betrayed, looked] = [false, 0];
    const sound = auditorThat(NOWHERE);
    const audit: Auditor["audit"] = async (job) => {
      const ordinary = job.ticket.rates.length > 0;
      if (!ordinary && of(told, "rolled-back").length > 0) return new Promise(() => {});
      if (!ordinary || !betrayed) return sound.audit(job);
      // The first is under way until the tripwire has gone off, the second comes after the roll-back.
      await measured;
      const first = looked++ === 0;
      if (!first) await until(() => of(told, "rolled-back").length > 0);
      const good = first || word === "good";
      const change = { before: 3, after: good ? 1 : 5 };
      return { assigned: change, gate: change };
    };
    const random = luckless(() => betrayed);
    const swarm = await trusting(0.05, { ...sound, audit }, told, random);
    // Whoever has just become trusted owes an answer to a fresh ticket, and is audited by recomputation for it.
    await swarm.honest.contribute(swarm.tiny.run, STEP);
    await swarm.mole.contribute(swarm.tiny.run, STEP);
    await until(() => of(told, "evaluated").at(-1)?.version === 5);
    betrayed = true;
    const before = of(told, "audited").length;
    await betray(swarm);
    await until(() => of(told, "evaluated").at(-1)?.version === 6);
    measure();
    await until(() => of(told, "audited").length === before + 2);
    expect(told.findIndex(({ type }) => type === "rolled-back")).toBeLessThan(
      told.findLastIndex(({ type }) => type === "audited"),
    );
    const files = swarm.tiny.files.restart("kill");
    await swarm.tiny.run.close();

    const again = await reopened(files);
    const { at } = told.at(-1)!;
    const harmful = () => badOf(again.events).filter(({ on }) => on !== undefined);
    await proven(again);
    expect(harmful()).toHaveLength(left);
    expect(harmful().every((one) => one.at >= at && one.volunteer === swarm.mole.identity.key)).toBe(true);
    await again.run.close();
  },
);

test("A25, the control: were it not remembered, a kill at that moment would set the mole free", async () => {
  const { files, index, mole, events } = await killedAfterRollBack();
  const like = begin(of(events, "created")[0]!);
  for (const name of (await files.list("snapshots")).filter((one) => one.endsWith(".checkpoint"))) {
    const path = `snapshots/${name}`;
    const checkpoint = decodeCheckpoint((await files.read(path))!, like);
    files.cut(path, 0);
    const file = await files.open(path);
    await file.append(encodeCheckpoint({ ...checkpoint, state: { ...like, ...checkpoint.state }, late: [] }));
    await file.close();
  }
  const again = await reopened(files, index);
  await proven(again);
  expect(badOf(again.events)).toEqual([]);
  await mole.ticket(again.run);
  await again.run.close();
});
