import { expect, test } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import { decodeFrame } from "../../protocol/frame.ts";
import { ToyServer } from "../../test/harness/toy-run.ts";
import { distance, TARGET, ToyTrainer } from "../../test/harness/toy-trainer.ts";
import { always, visit } from "../../test/harness/visit.ts";
import { memoryCache } from "../cache/cache.ts";

/** A tenth of the way from nothing to the target, as a delta: old minus new. */
const DELTA = TARGET.map((goal) => -goal / 10);

async function auditing(changes: Parameters<ToyServer["audit"]>[1] = {}) {
  const server = await ToyServer.open();
  server.audits = true;
  await server.audit(DELTA, changes);
  const trainer = new ToyTrainer();
  const here = visit(server, memoryCache(), always(new ToyTrainer()), async () => trainer);
  return { server, here, trainer };
}

test("AU5: a volunteer makes the audit that it is given, answers with what it measured, and trains on", async () => {
  const { server, here, trainer } = await auditing();
  const weights = server.weights;
  const [frame] = server.frames.values();
  expect(await here.until("sent", 2)).toBe("stopped");
  const decoded = decodeFrame(frame!, TARGET.length);
  const after = distance(weights.map((weight, i) => weight - decoded[i]!));
  const change = { before: distance(weights), after, error: 0 };
  expect(server.audited).toEqual([
    { audit: expect.any(String), measured: { assigned: change, gate: change } },
  ]);
  expect(trainer.disposed).toBe(true);
  expect(trainer.steps).toBe(0);
  expect(here.phases()).toContain("auditing");
  expect(server.uploads).toHaveLength(2);
});

test("AU5: a fresh ticket's audit trains the ticket again, from nothing", async () => {
  const { server, here, trainer } = await auditing({ fresh: true, rates: [0.1, 0.1, 0.1], done: 2 });
  await here.until("sent", 1);
  expect(trainer.steps).toBe(2);
  expect(trainer.starts.every((carried) => carried === undefined)).toBe(true);
  expect(server.audited[0]!.measured.distance).toBeCloseTo(0, 2);
});

test("AU5: audits are asked for only where the run has them and the volunteer can make them", async () => {
  const { server, here } = await auditing();
  server.audits = false;
  await here.until("sent", 1);
  expect(server.paces.some(({ audits }) => audits)).toBe(false);
  const other = await ToyServer.open();
  other.audits = true;
  await visit(other).until("sent", 1);
  expect(other.paces.some(({ audits }) => audits)).toBe(false);
});

test("AU5: what cannot be audited is left to others, and training goes on", async () => {
  const gone = await auditing();
  gone.server.frames.clear();
  await gone.here.until("sent", 1);
  expect(gone.server.audited).toEqual([]);
  const late = await auditing();
  late.server.before = (route) => {
    if (route === "answerAudit") throw new ProtocolError("audit-over", "too late");
  };
  await late.here.until("sent", 1);
  expect(late.server.uploads).toHaveLength(1);
  expect(late.server.audited).toEqual([]);
});

test("AU5: an audit for another key is none of ours", async () => {
  const { server, here } = await auditing({ volunteer: "A".repeat(43) as never });
  await here.until("sent", 1);
  expect(server.audited).toEqual([]);
  expect(server.asked).not.toContain("auditedDelta");
});

test("a visitor's pause holds an audit between two of its steps", async () => {
  const { server, here, trainer } = await auditing({ fresh: true, rates: [0.1, 0.1, 0.1] });
  trainer.onStep = () => {
    if (trainer.steps === 1) here.control.pause("visitor");
    queueMicrotask(() => queueMicrotask(() => here.control.stop()));
  };
  expect(await here.run()).toBe("stopped");
  expect(trainer.steps).toBe(1);
  expect(server.audited).toEqual([]);
  expect(trainer.disposed).toBe(true);
});
