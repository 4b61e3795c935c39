import { expect, test } from "vitest";
import { DENSE4, MIDRISE2 } from "../../protocol/codec/codec.ts";
import { uploadTokens } from "../../protocol/upload.ts";
import {
  deltaOf,
  nonceOf,
  restart,
  TestVolunteer,
  type TinyRun,
  tinyRun,
  tinySettings,
  until,
  uploadOf,
} from "../../test/harness/tiny-run.ts";
import { parseSettings } from "./settings.ts";

/** A run on a clock; its volunteer's delta is of one step of the two that its ticket has. */
async function moved(rounds: object): Promise<TinyRun & { readonly tokens: number }> {
  const tiny = await tinyRun({ settings: tinySettings({ rounds, quorum: 1 }) });
  const volunteer = await TestVolunteer.create();
  const ticket = await volunteer.ticket(tiny.run);
  expect(ticket.trainFor).toBeGreaterThan(0);
  const upload = uploadOf(ticket, deltaOf(1));
  const done = { ...upload, report: { ...upload.report, steps: 1 } };
  const { tokens } = await volunteer.send(tiny.run, done);
  expect(tokens).toBe(uploadTokens(done, 8));
  tiny.run.tick();
  await until(() => tiny.run.status().version === 1);
  return { ...tiny, tokens };
}

const stepOf = async ({ run }: TinyRun) => (await run.versionRecord(1)).step;

test("what few volunteers trained with Muon inside is averaged, and so it is after a restart, in the record too", async () => {
  const tiny = await moved({});
  expect(tiny.tokens, "one step of two, of sixteen sequences").toBe(16 * 8);
  const { hash } = tiny.run.manifest();
  const step = await stepOf(tiny);
  expect(step).toEqual({
    outer: { kind: "average", rate: 1, momentum: 0 },
    downlink: MIDRISE2,
  });
  const again = await restart(tiny, "drop");
  expect(again.run.manifest().hash).toBe(hash);
  expect(await stepOf(again)).toEqual(step);
  await again.run.close();
});

test("the control: with AdamW inside the outer step is the run file's, and another version comes of the same delta", async () => {
  const [muon, adamW] = [await moved({}), await moved({ inner: "adamw" })];
  expect(await stepOf(adamW)).toMatchObject({
    outer: { kind: "muon", rate: 1.43, momentum: 0.5, grows: true },
  });
  expect(adamW.run.manifest().hash).not.toBe(muon.run.manifest().hash);
  await Promise.all([muon.run.close(), adamW.run.close()]);
});

/** A version of so many volunteers' deltas, all made with Muon inside, and what its restarted run has in its place. */
async function crowded(volunteers: number, outer = parseSettings({}).outer) {
  const tiny = await tinyRun({
    settings: tinySettings({ rounds: {}, outer, quorum: 1, trust: { rules: "mean" } }),
  });
  const all = await Promise.all(Array.from({ length: volunteers }, () => TestVolunteer.create()));
  const tickets = [];
  for (const volunteer of all) tickets.push(await volunteer.ticket(tiny.run));
  expect(new Set(tickets.map(({ inner }) => inner))).toEqual(new Set(["muon"]));
  for (const [i, volunteer] of all.entries()) {
    const upload = uploadOf(tickets[i]!, deltaOf(1 + i));
    await volunteer.send(tiny.run, { ...upload, report: { ...upload.report, steps: 1 } });
  }
  tiny.clock.ms += 10_000; // the round is over
  tiny.run.tick();
  await until(() => tiny.run.status().version === 1);
  const { step, merged } = await tiny.run.versionRecord(1);
  expect(merged).toHaveLength(volunteers);
  const { hash } = tiny.run.manifest();
  const again = await restart(tiny, "drop");
  expect(again.run.manifest().hash).toBe(hash);
  expect(await stepOf(again)).toEqual(step);
  await again.run.close();
  return { outer: (step as { outer: unknown }).outer, hash };
}

const nesterov = { kind: "nesterov", rate: 1, momentum: 0.5 };
const average = { kind: "average", rate: 1, momentum: 0 };

test("what a crowd trained with Muon inside keeps momentum, in the record and after a restart; the control: seven are averaged", async () => {
  const crowd = await crowded(8);
  expect(crowd.outer, "the first of a start").toEqual({ ...nesterov, matrices: 2 });
  expect((await crowded(7)).outer).toEqual(average);
  const { startVersions: _, ...evenly } = parseSettings({}).outer;
  expect((await crowded(8, evenly)).outer, "a run from before crowds had a start").toEqual(nesterov);
  const { muonMomentum: __, ...before } = evenly;
  const averaged = await crowded(8, before);
  expect(averaged.outer, "a run from before it").toEqual(average);
  expect(averaged.hash).not.toBe(crowd.hash);
});

test("where that grows, a version has as much of a crowd's step as its deltas count for", async () => {
  const grows = { ...parseSettings({}).outer, crowdGrows: true } as const;
  expect((await crowded(12, grows)).outer).toEqual({ ...nesterov, matrices: 2 });
  expect((await crowded(8, grows)).outer, "one has more sequences, and the eight count for seven").toEqual({
    ...{ ...nesterov, momentum: 0.405, matrices: 1.81 },
  });
  expect((await crowded(3, grows)).outer).toEqual(average);
});

test("an outer rate that rises is in each version's record as far as it has risen, and comes out the same again", async () => {
  const outer = { rate: 2, momentum: 0, fullAt: 1, warmupVersions: 2 };
  const settings = tinySettings({ rounds: { inner: "adamw" }, outer, quorum: 1 });
  const tiny = await tinyRun({ settings });
  const volunteer = await TestVolunteer.create();
  for (let version = 1; version <= 3; version++) {
    await volunteer.send(tiny.run, uploadOf(await volunteer.ticket(tiny.run), deltaOf(1)));
    tiny.run.tick();
    await until(() => tiny.run.status().version === version);
  }
  const partsOf = async ({ run }: TinyRun) => {
    const records = await Promise.all([1, 2, 3].map((version) => run.versionRecord(version)));
    return records.map(({ step }) => (step as { outer: { part?: number } }).outer.part);
  };
  expect(await partsOf(tiny)).toEqual([0, 0.5, undefined]);
  const { hash } = tiny.run.manifest();
  const again = await restart(tiny, "drop");
  expect(again.run.manifest().hash).toBe(hash);
  await again.run.close();
});

test("a volunteer whose link is slow sends fewer bits, as its ticket says, and no others", async () => {
  const tiny = await tinyRun({ settings: tinySettings({ rounds: {}, quorum: 1, delta: "auto" }) });
  const volunteer = await TestVolunteer.create();
  const ask = (nonce: number, uplink: number) =>
    tiny.run.ticket(volunteer.identity.key, nonceOf(nonce), { uplink });
  const [fast, slow] = [await ask(1, 1e9), await ask(2, 1)];
  expect([fast.delta, slow.delta]).toEqual([DENSE4, MIDRISE2]);
  await expect(volunteer.send(tiny.run, uploadOf(slow, deltaOf(1), DENSE4))).rejects.toMatchObject({
    code: "wrong-codec",
  });
  const upload = uploadOf(slow, deltaOf(1), MIDRISE2);
  await volunteer.send(tiny.run, { ...upload, report: { ...upload.report, steps: 1 } });
  tiny.clock.ms += 10_000; // the round is over, whatever the other ticket becomes
  tiny.run.tick();
  await until(() => tiny.run.status().version === 1);
  const { hash } = tiny.run.manifest();
  const again = await restart(tiny, "drop");
  expect(again.run.manifest().hash).toBe(hash);
  await again.run.close();
});
