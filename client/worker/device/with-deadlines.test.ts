import { expect, test } from "vitest";
import type { After } from "../../../model/lib/deadline.ts";
import { ToyTrainer } from "../../../test/harness/toy-run.ts";
import { withDeadlines } from "./with-deadlines.ts";

const soon: After = (_, callback) => {
  const timer = setTimeout(callback);
  return () => clearTimeout(timer);
};

test("a device that hangs in a call is a lost one", async () => {
  const toy = new ToyTrainer();
  toy.onStep = () => new Promise(() => {});
  const trainer = withDeadlines(toy, soon);
  await trainer.load(new Float32Array(10));
  await expect(trainer.step(new Uint16Array(), 1, 0.1)).rejects.toMatchObject({ code: "device-lost" });
});

test("the control: by itself it is waited for, and one that answers is passed on", async () => {
  const toy = new ToyTrainer();
  const hung = Promise.withResolvers<void>();
  toy.onStep = () => hung.promise;
  await toy.load(new Float32Array(10));
  let settled = false;
  const step = toy.step(new Uint16Array(), 1, 0.1).then(() => {
    settled = true;
  });
  await new Promise((resolve) => setTimeout(resolve));
  expect(settled).toBe(false);
  hung.resolve();
  await step;
  expect([...(await withDeadlines(toy, soon).losses())]).toHaveLength(1);
});
