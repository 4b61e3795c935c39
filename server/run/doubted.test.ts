import { expect, test } from "vitest";
import { decodeFrame } from "../../protocol/frame.ts";
import { countingRandom, TestVolunteer, tinyRun, tinySettings, until } from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Auditor } from "../evaluate/ports.ts";

const PARAMETERS = 10;
const STEP = new Float32Array(PARAMETERS).fill(-0.02);
const FLIPPED = STEP.map((value) => -value);
/** Versions of honest deltas: enough for two veterans, and to know what is usual. */
const HONEST = 12;

const gainOf = (delta: Float32Array) => -delta.reduce((sum, value) => sum + value, 0);
const effects: Auditor["effects"] = async ({ frames }) =>
  frames.map((frame) => [gainOf(decodeFrame(frame, PARAMETERS))]);

/** An auditor that measures how far a delta leads to where text would. */
const audit: Auditor["audit"] = async ({ delta, own, ticket }) => {
  const change = (gain: number) => ({ before: 3, after: 3 - gain });
  const of = (gain: number) => ({ assigned: change(gain), gate: change(gain) });
  return {
    ...of(gainOf(delta)),
    ...(ticket.fresh && { distance: 0, length: 1 }),
    ...(own && { own: of(gainOf(STEP)), unsteadiness: 0 }),
  };
};

/** Draws by which no veteran's delta is audited by chance, but what most versions did is measured. */
function between(): (bytes: number) => Uint8Array<ArrayBuffer> {
  const counting = countingRandom();
  return (bytes) => (bytes === 4 ? new Uint8Array(4).fill(128) : counting(bytes));
}

/** Two veterans, one of whom sends one delta flipped; who was found bad some versions later. */
async function lived(measured: Auditor["effects"]) {
  const events: DurableEvent[] = [];
  const settings = tinySettings({
    ...{ outer: { kind: "average" }, downlink: "f32", tokenBudget: 1_000_000_000 },
    trust: { auditShare: 1, tripwire: 1_000 },
  });
  const auditor: Auditor = { audit, effects: measured, direct: async () => new Float32Array(PARAMETERS) };
  const tiny = await tinyRun({
    settings,
    auditor,
    random: between(),
    observe: (event) => events.push(event),
  });
  const [honest, sleeper] = [await TestVolunteer.create(), await TestVolunteer.create()];
  const bad = () =>
    events.flatMap((event) => (event.type === "audited" && event.verdict === "bad" ? [event] : []));
  const sampled = () => events.filter(({ type }) => type === "sampled").length;
  for (let version = 1; version <= HONEST + 4 && bad().length === 0; version++) {
    const before = sampled();
    await honest.contribute(tiny.run, STEP);
    await sleeper.contribute(tiny.run, version === HONEST ? FLIPPED : STEP);
    await until(() => tiny.run.status().version === version);
    await until(() => sampled() > before);
  }
  return { tiny, honest, sleeper, bad: bad() };
}

test("A32: a veteran's one flipped delta is audited though chance drew none: what it did in its version gave it away", async () => {
  const { tiny, honest, sleeper, bad } = await lived(effects);
  expect(bad).toMatchObject([{ volunteer: sleeper.identity.key, reason: "no-gain" }]);
  await expect(sleeper.ticket(tiny.run)).rejects.toMatchObject({ code: "quarantined" });
  await honest.ticket(tiny.run);
  expect(tiny.run.credit(sleeper.identity.key).tokens).toBe(0);
  await tiny.run.close();
});

test("A32, the control: where nobody sees what it did, the same volunteer goes on", async () => {
  const { tiny, sleeper, bad } = await lived(async ({ frames }) => frames.map(() => [0]));
  expect(bad).toEqual([]);
  await sleeper.ticket(tiny.run);
  await tiny.run.close();
});
