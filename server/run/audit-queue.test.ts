import { expect, test } from "vitest";
import { AuditQueue } from "./audit-queue.ts";

/** A queue, and what it has made so far. */
function queued() {
  const made: string[] = [];
  const failures: unknown[] = [];
  const queue = new AuditQueue((error) => failures.push(error));
  const job = (name: string) => async () => void made.push(name);
  return { queue, made, failures, job };
}

const idle = async () => {
  for (let turn = 0; turn < 200; turn++) await null;
};

test("A25: while a hundred audits of a roll-back wait, what is sent meanwhile is audited by turns with them", async () => {
  const { queue, made, job } = queued();
  for (let n = 0; n < 96; n++) queue.put(job("blamed"), "inquiry");
  queue.put(job("new 1"));
  queue.put(job("new 2"));
  expect(queue.waiting).toBe(2); // the others leave room for what comes
  await idle();
  expect(made).toHaveLength(98);
  expect(made.indexOf("new 2")).toBeLessThan(5); // in order of their coming, the control, it would be the 98th
});

test("a job that fails is reported, and the next one runs; none runs after the end", async () => {
  const { queue, made, failures, job } = queued();
  queue.put(() => Promise.reject(new Error("no")));
  queue.put(job("next"));
  await idle();
  expect([made, failures.length]).toEqual([["next"], 1]);
  queue.put(job("first"));
  queue.put(job("never"));
  queue.stop();
  await idle();
  expect(made).toEqual(["next", "first"]);
});

test("an urgent question goes before all that wait", async () => {
  const { queue, made, job } = queued();
  queue.put(job("begun"));
  queue.put(job("later"));
  queue.put(job("blamed"), "inquiry");
  queue.put(job("urgent"), "first");
  await idle();
  expect(made.slice(0, 2)).toEqual(["begun", "urgent"]);
});
