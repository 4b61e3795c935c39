import { expect, test } from "vitest";
import type { After } from "../../../model/lib/deadline.ts";
import { ToyTrainer } from "../../../test/harness/toy-trainer.ts";
import { withDeadlines } from "./with-deadlines.ts";

const LIMIT_MS = 1_000;

const soon: After = (_, callback) => {
  const timer = setTimeout(callback);
  return () => clearTimeout(timer);
};

test("a device that hangs in a call is a lost one", async () => {
  const toy = new ToyTrainer();
  toy.onStep = () => new Promise(() => {});
  const trainer = withDeadlines(toy, LIMIT_MS, soon);
  await trainer.load(new Float32Array(10));
  await expect(trainer.step(new Uint16Array(), 1, 0.1)).rejects.toMatchObject({ code: "device-lost" });
});

test("a step in pieces has the limit for each of them, and a rest lasts as long as it may", async () => {
  const calls: (() => void)[] = [];
  const after: After = (_, callback) => {
    calls.push(callback);
    return () => calls.splice(calls.indexOf(callback), 1);
  };
  const pass = () => {
    for (let part = 0; part < 4; part++) for (const call of calls.splice(0)) call();
  };
  const toy = new ToyTrainer();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const worked: number[] = [];
  const rest = async (ms: number) => {
    worked.push(ms);
    pass(); // longer than any limit
  };
  toy.onStep = async (step, rest) => {
    await rest!(step);
    await (step === 1 ? first : second).promise;
  };
  await toy.load(new Float32Array(10));
  const trainer = withDeadlines(toy, LIMIT_MS, after);
  const fine = trainer.step(new Uint16Array(), 1, 0.1, rest);
  first.resolve();
  await fine;
  expect(worked).toEqual([1]);
  expect(calls).toEqual([]);
  const hung = trainer.step(new Uint16Array(), 1, 0.1, rest);
  await new Promise((resolve) => setTimeout(resolve));
  pass();
  await expect(hung).rejects.toMatchObject({ code: "device-lost" });
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
  expect([...(await withDeadlines(toy, LIMIT_MS, soon).losses())]).toHaveLength(1);
});
