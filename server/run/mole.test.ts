import { expect, test } from "vitest";
import type { MemoryFiles } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import {
  countingRandom,
  restart,
  TestVolunteer,
  type TinyRun,
  tinyRun,
  tinySettings,
  until,
} from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import { begin } from "../coordinator/state.ts";
import type { Auditor, Evaluator } from "../evaluate/ports.ts";
import type { Index } from "../store/store.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import type { Settings } from "./settings.ts";

/**
 * Two volunteers that are trusted, of whom one turns: it sends its deltas the wrong way round. The model is ten
 * numbers, and its loss how far they are from where they should be.
 */
const TARGET = Float32Array.from({ length: 10 }, (_, i) => Math.fround(i / 8 + 2));
const lossOf = (weights: Float32Array): number =>
  Math.hypot(...weights.map((value, i) => value - TARGET[i]!));
/** A seventh of the way from where the model was at the beginning, as a delta: old minus new. */
const STEP = new Float32Array(10).fill(-0.265);
const WRONG = STEP.map((value) => -value);

const evaluator: Evaluator = {
  evaluate: async (_version, weights) => ({ loss: lossOf(weights), sample: "" }),
};

/** `direction` is what the server's own training on gate text leads to. */
const auditorThat = (direction: Float32Array): Auditor => ({
  audit: async ({ weights, delta }) => {
    const change = { before: lossOf(weights), after: lossOf(weights.map((value, i) => value - delta[i]!)) };
    return { assigned: change, gate: change };
  },
  direct: async () => direction,
  effects: async ({ frames }) => frames.map(() => [0]),
});
const NOWHERE = new Float32Array(10);

/** Draws so high that only what must be audited is, until everything is to be. */
function luckless(all = () => false): (bytes: number) => Uint8Array<ArrayBuffer> {
  const counting = countingRandom();
  return (bytes) => (bytes === 4 ? new Uint8Array(4).fill(all() ? 0 : 255) : counting(bytes));
}

interface Swarm {
  readonly tiny: TinyRun;
  readonly honest: TestVolunteer;
  readonly mole: TestVolunteer;
  readonly events: DurableEvent[];
  readonly index: Index;
}

type Kept = Partial<Pick<Settings, "snapshotEvery" | "keepSnapshots" | "keepDiffs">>;

const settingsOf = (tripwire: number, kept: Kept = {}): Settings =>
  tinySettings({
    snapshotEvery: 1,
    ...kept,
    trust: { tripwire, auditShare: 1, auditors: "server" }, // whose fresh tickets are as long as others
    outer: { kind: "average" },
    downlink: "f32",
  });

/** A run in which both have passed their audits. */
async function trusting(
  tripwire: number,
  auditor = auditorThat(NOWHERE),
  events: DurableEvent[] = [],
  random = luckless(),
  measuring = evaluator,
  kept?: Kept,
): Promise<Swarm> {
  const index = memoryIndex();
  const tiny = await tinyRun({
    settings: settingsOf(tripwire, kept),
    evaluator: measuring,
    auditor,
    random,
    observe: (event) => events.push(event),
    index,
  });
  const [honest, mole] = [await TestVolunteer.create(), await TestVolunteer.create()];
  for (let version = 1; version <= 4; version++) {
    await honest.contribute(tiny.run, STEP);
    await mole.contribute(tiny.run, STEP);
    await until(() => of(events, "evaluated").at(-1)?.version === version);
  }
  await until(() => of(events, "audited").length >= 4);
  return { tiny, honest, mole, events, index };
}

const of = <T extends DurableEvent["type"]>(events: readonly DurableEvent[], type: T) =>
  events.filter((event): event is Extract<DurableEvent, { type: T }> => event.type === type);

/** Far too large for the seventh version, and right for where the mole takes that to. */
const MENDS = STEP.map((value) => 1.2 * value);

/** Version 8, which the honest deltas are made for, is not stored whole. */
const SEVENTH: Kept = { snapshotEvery: 7 };

/**
 * The mole's deltas are merged, and then honest ones that were made for what came of it, before the tripwire has seen
 * either; the run goes back, and all four are blamed. `meanwhile` happens just before that.
 */
async function backToSeven(
  meanwhile: (tiny: TinyRun) => Promise<void> = async () => {},
  auditor = auditorThat(NOWHERE),
  told: DurableEvent[] = [],
  kept = SEVENTH,
): Promise<Swarm> {
  const seen = Promise.withResolvers<void>();
  let slow = false;
  const measuring: Evaluator = {
    async evaluate(version, weights) {
      if (slow) await seen.promise;
      return evaluator.evaluate(version, weights);
    },
  };
  const swarm = await trusting(0.05, auditor, told, luckless(), measuring, kept);
  const { tiny, honest, mole, events } = swarm;
  for (let version = 5; version <= 7; version++) {
    await honest.contribute(tiny.run, STEP);
    await mole.contribute(tiny.run, STEP);
    await until(() => of(events, "evaluated").at(-1)?.version === version);
  }
  slow = true;
  await betray(swarm);
  await honest.contribute(tiny.run, MENDS);
  await honest.contribute(tiny.run, MENDS);
  await until(() => tiny.run.status().version === 9);
  await meanwhile(tiny);
  seen.resolve();
  await until(() => of(events, "rolled-back").length > 0);
  expect(of(events, "rolled-back")).toMatchObject([{ to: 7, version: 10 }]);
  return swarm;
}

/** What was said of deltas that a roll-back blamed, once it was of all four. */
async function answers(events: readonly DurableEvent[]) {
  const all = () => of(events, "audited").filter(({ on }) => on !== undefined);
  await until(() => all().length === 4);
  return (who: TestVolunteer) =>
    all().flatMap(({ volunteer, verdict }) => (volunteer === who.identity.key ? [verdict] : []));
}

test("A25: a delta that was right for the weights it was made for is not blamed for where the model had gone", async () => {
  const { tiny, honest, mole, events } = await backToSeven();
  const said = await answers(events);
  expect(said(honest)).toEqual(["unclear", "unclear"]);
  expect(said(mole)).toEqual(["bad", "bad"]);
  await honest.ticket(tiny.run);
  await tiny.run.close();
});

test("A25: nor is one for whose weights nobody can look any more; who did the harm is found all the same", async () => {
  const gone = ({ files }: TinyRun) => files.remove("diffs/7");
  const { tiny, honest, mole, events } = await backToSeven(gone);
  const said = await answers(events);
  expect(said(honest)).toEqual(["unclear", "unclear"]);
  expect(said(mole)).toEqual(["bad", "bad"]);
  await tiny.run.close();
});

async function listed({ files }: TinyRun, shelf: string, wanted: (names: readonly string[]) => boolean) {
  while (!wanted(await files.list(shelf))) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * The audits for the roll-back wait until the run has stored a version that, but for them, takes the place of the seventh.
 */
async function slowlyAudited(kept: Kept = {}) {
  const told: DurableEvent[] = [];
  const auditor = auditorThat(NOWHERE);
  const { promise: later, resolve: goOn } = Promise.withResolvers<void>();
  const audit: Auditor["audit"] = async (job) => {
    if (of(told, "rolled-back").length > 0) await later;
    return auditor.audit(job);
  };
  const settings = { ...SEVENTH, keepSnapshots: 1, ...kept };
  const swarm = await backToSeven(undefined, { ...auditor, audit }, told, settings);
  const { tiny, honest } = swarm;
  for (let version = 11; version <= 17; version++) {
    await honest.contribute(tiny.run, STEP);
    await honest.contribute(tiny.run, STEP);
    tiny.clock.ms += 20_000; // since nobody is trusted now
    tiny.run.tick();
    await until(() => tiny.run.status().version === version);
  }
  const stored = of(told, "published").find(({ version }) => version === 17)?.hash;
  await listed(tiny, "snapshots", (names) => names.includes(`${stored}.safetensors`));
  return { ...swarm, goOn, settings };
}

test.each([
  ["on the same server", false],
  ["after a kill", true],
])("A25: while an audit waits, what it needs is kept, however far the run goes on: %s", async (_, killed) => {
  const { tiny, honest, mole, events, index, settings, goOn } = await slowlyAudited();
  const another = async () => {
    const files = tiny.files.restart("kill");
    await tiny.run.close();
    return reopened(files, index, settings);
  };
  const then = killed ? await another() : { run: tiny.run, events };
  goOn();
  const said = await answers(then.events);
  expect(said(mole)).toEqual(["bad", "bad"]);
  expect(said(honest)).toEqual(["unclear", "unclear"]);
  await then.run.close();
});

test("A25, the control: of what is so old that its diffs went nothing is kept, and nobody can be blamed", async () => {
  const { tiny, mole, events, goOn } = await slowlyAudited({ keepDiffs: 8 });
  await listed(tiny, "diffs", (names) => !names.includes("8"));
  goOn();
  const said = await answers(events);
  expect(said(mole)).not.toContain("bad");
  await mole.ticket(tiny.run);
  await tiny.run.close();
});

/** Both deltas of a version are the mole's, wrong way round. */
async function betray({ tiny, mole, events }: Swarm): Promise<void> {
  const before = of(events, "published").length;
  await mole.contribute(tiny.run, WRONG);
  await mole.contribute(tiny.run, WRONG);
  await until(() => of(events, "published").length > before);
}

test("A25: a rising loss takes the run back by itself, and who did it is found and shut out, also after a restart", async () => {
  const swarm = await trusting(0.05);
  const { tiny, honest, mole, events } = swarm;
  const good = tiny.run.status().modelHash;
  const earnedBy = ({ identity }: TestVolunteer) => tiny.run.credit(identity.key).tokens;
  const earned = [earnedBy(mole), earnedBy(honest)];
  await betray(swarm);
  await until(() => of(events, "rolled-back").length > 0);
  expect(of(events, "rolled-back")).toMatchObject([{ to: 4, version: 6, reason: "held-out loss" }]);
  expect(tiny.run.status()).toMatchObject({ version: 6, modelHash: good });

  await until(() => of(events, "audited").filter(({ verdict }) => verdict === "bad").length === 2);
  const bad = of(events, "audited").filter(({ verdict }) => verdict === "bad");
  expect(bad.every(({ volunteer }) => volunteer === mole.identity.key)).toBe(true);
  await expect(mole.ticket(tiny.run)).rejects.toMatchObject({ code: "quarantined" });
  expect([earnedBy(mole), earnedBy(honest)]).toEqual(earned); // what it did before was good
  await honest.ticket(tiny.run);

  // The verdicts are journaled: a replay, which audits nothing, comes to the same.
  const again = await restart(tiny);
  expect(again.run.status()).toMatchObject({ version: 6, modelHash: good });
  await expect(mole.ticket(again.run)).rejects.toMatchObject({ code: "quarantined" });
  await again.run.close();
});

test("A25, the control: without the tripwire the harm stays in the model, and its maker in the run", async () => {
  const swarm = await trusting(1_000);
  const before = lossOf(weightsOf(swarm.tiny));
  await betray(swarm);
  await until(() => of(swarm.events, "evaluated").at(-1)?.version === 5);
  expect(of(swarm.events, "rolled-back")).toEqual([]);
  expect(lossOf(weightsOf(swarm.tiny))).toBeGreaterThan(before * 1.05);
  await swarm.mole.ticket(swarm.tiny.run);
  await swarm.tiny.run.close();
});

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

/** Another process opens what is there; `index` undefined for one that was lost, which asks for the whole journal. */
async function reopened(files: MemoryFiles, index?: Index, kept?: Kept) {
  const events: DurableEvent[] = [];
  const observe = (event: DurableEvent) => events.push(event);
  const auditor = auditorThat(NOWHERE);
  const random = luckless();
  const tiny = await tinyRun({
    files,
    settings: settingsOf(0.05, kept),
    auditor,
    evaluator,
    random,
    observe,
    ...(index && { index }),
  });
  return { tiny, run: tiny.run, events };
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

test("A14: what opposes the server's own direction is held until its audit, which finds it bad", async () => {
  const swarm = await trusting(1_000, auditorThat(STEP));
  const { tiny, mole, events } = swarm;
  const before = of(events, "audited").length;
  const good = tiny.run.status();
  await mole.contribute(tiny.run, WRONG);
  await until(() => of(events, "audited").length > before);
  expect(of(events, "audited").at(-1)).toMatchObject({ verdict: "bad", volunteer: mole.identity.key });
  expect(of(events, "accepted").at(-1)?.facts?.agreement).toBeCloseTo(-1, 5);
  expect(tiny.run.status()).toMatchObject({ version: good.version, modelHash: good.modelHash });
  await tiny.run.close();
});

const weightsOf = ({ run }: TinyRun): Float32Array =>
  new Float32Array(run.latestSnapshot().bytes.slice().buffer);
