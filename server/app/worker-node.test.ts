import { expect, test } from "vitest";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Hash } from "../../protocol/ids.ts";
import { deltaOf, vectorTask } from "../../test/harness/tiny-run.ts";
import { corpus, threads, world } from "../../test/harness/worker-world.ts";
import type { AuditOrder } from "../evaluate/ports.ts";
import { encodeAudit } from "../workers/audit-job.ts";
import type { MeasuringThreads } from "./worker-node.ts";

test("a worker puts weights together out of what is stored, and comes to the leader's numbers to the bit", async () => {
  const { helpers, start, order, answered, leader, pass } = await world();
  expect(await answered(helpers.audit(order)), "nobody is there").toBeUndefined();
  const { node } = await start();
  const weights = vectorTask().decode(leader.run.latestSnapshot().bytes);
  const shard = new Uint16Array((await corpus.shard(order.shard)).slice().buffer);
  const own = await threads().auditor.audit({
    ...{ ...order, weights, shard, codec: F32, delta: deltaOf(4).map((value) => 0.5 * value) },
  });
  const asked = helpers.audit(order);
  pass(250); // before anybody hears of it
  expect(await answered(asked)).toEqual({ evidence: own, who: node.who });
  expect(own.gate.after).toBeNaN(); // which JSON has no word for
  const evaluation = await threads().evaluator.evaluate(5, weights);
  expect(await answered(helpers.evaluate(order.model))).toEqual({ evaluation, who: node.who });
  const nothing = { workers: 1, done: 0, left: 0, failures: 0, waitedMs: 0, workedMs: 0 };
  expect(helpers.figures).toEqual({
    audits: { ...nothing, done: 1, left: 1, waitedMs: 250 },
    evaluations: { ...nothing, done: 1 },
    merges: nothing,
  });
});

test("a worker whose text is another's is asked nothing, and the log says so", async () => {
  const { helpers, start, order, answered, happened } = await world();
  const { line } = await start({ gate: async () => new Uint16Array(300) });
  expect(await answered(helpers.audit(order))).toBeUndefined();
  expect(line.jobs).toBe(0);
  expect(happened.some((one) => one.startsWith("a worker has other text"))).toBe(true);
});

test("what it cannot have, or what is no job, a worker refuses; hashes that do not fit are not believed", async () => {
  const { helpers, start, order, answered, jobs, happened } = await world();
  await start();
  const gone = "f".repeat(64) as Hash;
  const { model } = order;
  const refused: [string, Partial<AuditOrder>, RegExp][] = [
    ["another hash", { model: { ...model, hash: gone } }, /comes to another hash/],
    ["no such snapshot", { model: { ...model, from: { version: 3, hash: gone } } }, /is not stored/],
    ["no such diff", { model: { ...model, diffs: [gone, gone] } }, /is not stored/],
    ["no such shard", { shard: gone }, /no such shard/],
    ["a frame of another model", { frame: encodeFrame(F32, new Float32Array(11)) }, /values where/],
    ["no frame", { frame: new Uint8Array() }, /shorter than its header/],
    ["a batch too large", { ticket: { ...order.ticket, batch: 1_024 } }, /larger than the run's/],
    ["diffs that do not lead there", { model: { ...model, version: 9 } }, /version must be/],
    ["no number", { scale: Number.NaN }, /scale must be/],
  ];
  for (const [what, changes, why] of refused) {
    expect(await answered(helpers.audit({ ...order, ...changes })), what).toBeUndefined();
    expect(happened.at(-1), what).toMatch(why);
  }
  expect(helpers.figures.audits).toMatchObject({ done: 0, left: refused.length });
  expect(helpers.figures.audits.failures).toBeGreaterThanOrEqual(refused.length);
  // Bytes that are nothing at all.
  const line = jobs.end();
  const said: unknown[] = [];
  const signs: string[] = [];
  line.listen((message) => signs.push(new TextDecoder().decode(message)));
  await answered(helpers.audit(order));
  const kind = happened.join().match(/audits\.[0-9a-f]{16}/)?.[0] ?? "";
  for (const bytes of [
    new Uint8Array(),
    Uint8Array.of(255, 255, 255, 255),
    encodeAudit(order).subarray(0, 40),
  ]) {
    line.ask(kind, bytes, (message) => void said.push(message === "nobody" ? message : message[0]));
    await jobs.settle();
  }
  expect(said).toEqual([0, 4, 0, 4, 0, 4]); // taken, failed
  expect((await answered(helpers.audit(order)))?.who, "and works on").toBeDefined();
});

test("audits at once are as many as there are workers and the server; one that computed wrong is asked no more", async () => {
  const { helpers, start, order, answered, pass, jobs } = await world();
  const { node, line } = await start();
  await start();
  await answered(helpers.audit(order));
  await jobs.settle();
  expect(helpers.audits).toBe(3);
  helpers.distrust(node.who);
  expect(helpers.audits).toBe(2);
  const before = line.jobs;
  const found = await answered(helpers.audit(order));
  expect(found?.who ?? "nobody").not.toBe(node.who);
  expect(line.jobs).toBeGreaterThanOrEqual(before);
  line.kill();
  pass(6_000);
  await jobs.settle();
  pass(6_000);
  await jobs.settle();
  expect(helpers.audits, "one is gone, and not counted as wrong any more").toBe(2);
});

test("text that was added changes what is measured: a worker takes jobs of its own edition alone", async () => {
  const { helpers, start, order, answered, addText, pass, jobs } = await world();
  const measured = Promise.withResolvers<void>();
  const slow = (): MeasuringThreads => ({
    ...threads(),
    evaluator: {
      evaluate: async () => {
        await measured.promise;
        return { loss: 1, sample: "of other text" };
      },
      close: async () => {},
    },
  });
  await start({}, slow);
  const asked = helpers.evaluate(order.model);
  await jobs.settle();
  addText();
  measured.resolve();
  expect(await answered(asked), "measured on text that is not what was asked for").toBeUndefined();
  pass(10_000);
  await jobs.settle();
  expect((await answered(helpers.evaluate(order.model)))?.evaluation.loss).toBe(1);
});
