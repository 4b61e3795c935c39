import { expect, test } from "vitest";
import { auditorThat, betray, lossOf, of, STEP, trusting, WRONG } from "../../test/harness/mole.ts";
import { restart, type TestVolunteer, type TinyRun, until } from "../../test/harness/tiny-run.ts";

/** A trusted volunteer that sends its deltas the wrong way round: what it does, and that it is found. */

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
