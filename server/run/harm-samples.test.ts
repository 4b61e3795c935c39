import { expect, test } from "vitest";
import { decodeFrame } from "../../protocol/frame.ts";
import {
  countingRandom,
  restart,
  TestVolunteer,
  tinyRun,
  tinySettings,
  until,
} from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Auditor } from "../evaluate/ports.ts";
import { samplePlan } from "./harm-samples.ts";

const PARAMETERS = 10;
const STEP = new Float32Array(PARAMETERS).fill(-0.02);
const HARM = STEP.map((value) => -value);
const MAX_VERSIONS = 150;

/** What a guarded delta does to an audit: it passes, whatever it does to the model. */
const passing: Pick<Auditor, "audit" | "direct"> = {
  audit: async ({ ticket }) => {
    const gains = { before: 3, after: 2 };
    return { assigned: gains, gate: gains, ...(ticket.fresh && { distance: 0, length: 1 }) };
  },
  direct: async () => new Float32Array(PARAMETERS),
};
const effects: Auditor["effects"] = async ({ frames }) =>
  frames.map((frame) => [-decodeFrame(frame, PARAMETERS).reduce((sum, value) => sum + value, 0)]);

/** Draws that have everything audited and measured that may be. */
function lucky(): (bytes: number) => Uint8Array<ArrayBuffer> {
  const counting = countingRandom();
  return (bytes) => (bytes === 4 ? new Uint8Array(4) : counting(bytes));
}

/** Two volunteers of whom one sends the opposite of what helps, until it is found or for long. */
async function lived(auditor: Auditor) {
  const events: DurableEvent[] = [];
  const settings = tinySettings({
    ...{ outer: { kind: "average" }, downlink: "f32", tokenBudget: 1_000_000_000 },
    trust: { auditShare: 1, tripwire: 1_000 },
  });
  const random = lucky();
  const tiny = await tinyRun({ settings, auditor, random, observe: (event) => events.push(event) });
  const [honest, mole] = [await TestVolunteer.create(), await TestVolunteer.create()];
  const bad = () =>
    events.flatMap((event) => (event.type === "audited" && event.verdict === "bad" ? [event] : []));
  for (let version = 1; version <= MAX_VERSIONS && bad().length === 0; version++) {
    await honest.contribute(tiny.run, STEP);
    await mole.contribute(tiny.run, HARM);
    await until(() => tiny.run.status().version === version || bad().length > 0);
  }
  return { tiny, honest, mole, events, bad: bad() };
}

test("A14: who passes every audit and does harm in version after version is found in time, and is out after a restart too", async () => {
  const { tiny, honest, mole, events, bad } = await lived({ ...passing, effects });
  expect(bad).toMatchObject([{ volunteer: mole.identity.key, reason: "harm" }]);
  expect(events.filter(({ type }) => type === "sampled").length).toBeGreaterThan(8);
  await expect(mole.ticket(tiny.run)).rejects.toMatchObject({ code: "quarantined" });
  await honest.ticket(tiny.run);
  const { tokens } = tiny.run.credit(mole.identity.key);
  expect(tokens).toBeLessThan(0.4 * tiny.run.credit(honest.identity.key).tokens);
  const again = await restart(tiny);
  await expect(mole.ticket(again.run)).rejects.toMatchObject({ code: "quarantined" });
  expect(again.run.credit(mole.identity.key).tokens).toBe(tokens);
  await again.run.close();
});

test("A14, the control: while nobody measures what a merge did, the same volunteer is never found", async () => {
  const { tiny, mole, bad } = await lived({
    ...passing,
    effects: async ({ frames }) => frames.map(() => [0]),
  });
  expect(bad).toEqual([]);
  await mole.ticket(tiny.run);
  await tiny.run.close();
});

/** All is well until version 12; then nothing is audited or measured, and one does harm, until the loss has risen. */
async function rolledBack(measured: Auditor["effects"]) {
  const events: DurableEvent[] = [];
  let [watched, broken] = [true, false];
  const rolled = () => events.some(({ type }) => type === "rolled-back");
  const counting = countingRandom();
  const settings = tinySettings({
    ...{ outer: { kind: "average" }, downlink: "f32", tokenBudget: 1_000_000_000, snapshotEvery: 12 },
    trust: { auditShare: 0.9, tripwire: 0.05 },
  });
  const tiny = await tinyRun({
    settings,
    random: (bytes) => (bytes === 4 ? new Uint8Array(4).fill(watched ? 0 : 255) : counting(bytes)),
    evaluator: { evaluate: async () => ({ loss: broken ? 9 : 3, sample: "" }) },
    auditor: {
      ...{ direct: passing.direct, effects: measured },
      // What the divergence detector asks of stored versions has no rates; all else passes.
      audit: async (job) => {
        const detects = job.ticket.rates.length === 0 && !rolled();
        if (!detects) return passing.audit(job);
        const worse = { before: 3 - job.weights.reduce((sum, value) => sum + value, 0), after: 5 };
        return { assigned: worse, gate: worse };
      },
    },
    observe: (event) => events.push(event),
  });
  const [honest, mole] = [await TestVolunteer.create(), await TestVolunteer.create()];
  for (let version = 1; version <= 34; version++) {
    watched = version <= 12;
    broken = version === 34;
    await honest.contribute(tiny.run, STEP);
    await mole.contribute(tiny.run, version <= 12 ? STEP : HARM);
    await until(() => tiny.run.status().version >= version);
    await until(() => tiny.run.status().heldOut.at(-1)?.version === version || rolled());
  }
  await until(rolled);
  const sampled = () => new Set(events.flatMap((event) => (event.type === "sampled" ? [event.version] : [])));
  await until(() => Array.from({ length: 22 }, (_, i) => 13 + i).every((version) => sampled().has(version)));
  await until(() => events.filter(({ type }) => type === "audited").length >= 22);
  const blamed = events.flatMap((event) =>
    event.type === "audited" && event.verdict === "bad" ? [event] : [],
  );
  return { tiny, honest, mole, blamed };
}

test("A25: versions that are taken back are measured whole, so that who broke them is found though no audit finds it", async () => {
  const { tiny, honest, mole, blamed } = await rolledBack(effects);
  expect(blamed).toMatchObject([{ volunteer: mole.identity.key, reason: "harm" }]);
  await honest.ticket(tiny.run);
  await tiny.run.close();
});

test("A25, the control: without those measurements nobody is found", async () => {
  const { tiny, mole, blamed } = await rolledBack(async ({ frames }) => frames.map(() => [0]));
  expect(blamed).toEqual([]);
  await mole.ticket(tiny.run);
  await tiny.run.close();
});

test("a quarter of what audits may cost pays for the samples, on more text where versions are large", () => {
  // A version of ten tickets of 30 steps; .08 of that may be audited, .02 measured.
  const batchTokens = 128;
  const costOf = (tokens: number) => {
    const { batches, chance } = samplePlan(tokens, 0.08, batchTokens);
    return { batches, cost: chance * batches * batchTokens };
  };
  expect(costOf(300 * batchTokens)).toEqual({ batches: 4, cost: 4 * batchTokens });
  expect(costOf(99 * batchTokens).batches).toBe(1);
  const small = costOf(30 * batchTokens);
  expect(small.batches).toBe(1);
  expect(small.cost).toBeCloseTo(0.02 * 30 * batchTokens, 9);
});

test("a version with a delta of somebody suspected is measured surely and on more text, where that can be afforded; else, the control, like others", () => {
  const batchTokens = 128;
  const planFor = (affordable: number) =>
    samplePlan(30 * batchTokens, 0.08, batchTokens, (cost) => cost <= affordable);
  expect(planFor(4 * batchTokens)).toEqual({ batches: 4, chance: 1 });
  expect(planFor(3 * batchTokens)).toEqual(samplePlan(30 * batchTokens, 0.08, batchTokens));
});
