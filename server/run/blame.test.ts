import { expect, test } from "vitest";
import {
  auditorThat,
  betray,
  evaluator,
  type Kept,
  luckless,
  NOWHERE,
  of,
  reopened,
  STEP,
  type Swarm,
  trusting,
} from "../../test/harness/mole.ts";
import { type TestVolunteer, type TinyRun, until } from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Auditor, Evaluator } from "../evaluate/ports.ts";

/** Which deltas a roll-back blames, and what their audits are held against. */

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
