import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeGpu, fakeProgram } from "../../../test/harness/fake-gpu.ts";
import { Rests, Submits } from "./submits.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets fake time pass until the work is done, and returns what came of it. */
async function finished<T>(work: Promise<T>): Promise<T> {
  let settled = false;
  const end = work.finally(() => {
    settled = true;
  });
  end.catch(() => undefined);
  while (!settled) await vi.advanceTimersByTimeAsync(1);
  return end;
}

const long = fakeProgram(Array<number>(60).fill(5), 4); // 300 ms, which look like 1,200 on the slowest adapter

test("a program goes out in submits of 30 ms, the first of which is cut as for the slowest adapter", async () => {
  const gpu = new FakeGpu();
  const submits = new Submits(gpu);
  await finished(submits.run([long]));
  expect(gpu.submits[0]).toBe(5);
  expect(Math.max(...gpu.submits)).toBe(30);
  expect(gpu.submits.reduce((sum, ms) => sum + ms, 0)).toBe(300);
  await finished(submits.run([long]));
  expect(gpu.submits.slice(-10)).toEqual(Array(10).fill(30));
});

test("a software adapter gets all of it in one: it has no watchdog, and draws nobody's page", async () => {
  const gpu = new FakeGpu(undefined, true);
  const submits = new Submits(gpu);
  await finished(submits.run([long]));
  await finished(submits.run([long]));
  expect(gpu.submits.at(-1)).toBe(300);
});

test("two short programs are one submit, since cuts do not care where one ends", async () => {
  const gpu = new FakeGpu();
  const submits = new Submits(gpu);
  await finished(submits.run([fakeProgram([1, 2]), fakeProgram([3])]));
  expect(gpu.submits).toEqual([6]);
});

test("only the first submit is waited for; after it, a program is handed over at once", async () => {
  const gpu = new FakeGpu();
  const submits = new Submits(gpu);
  await finished(submits.run([long]));
  await finished(submits.done());
  const before = performance.now();
  await submits.run([long]);
  expect(performance.now()).toBe(before);
  await finished(submits.done());
  expect(performance.now() - before).toBeGreaterThanOrEqual(300);
});

test("rests fall between submits, of one program and of a step's several, and none behind the last", async () => {
  const gpu = new FakeGpu();
  const submits = new Submits(gpu);
  await finished(submits.run([long]));
  const worked: number[] = [];
  const rests = new Rests(async (ms) => {
    worked.push(ms);
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  const before = performance.now();
  await finished(submits.run([long], { rests, more: true }));
  await finished(submits.run([long], { rests, more: false }));
  await finished(submits.done());
  expect(worked).toHaveLength(19);
  expect(Math.min(...worked.slice(1))).toBeGreaterThanOrEqual(30);
  expect(Math.max(...worked.slice(1))).toBeLessThan(35);
  expect(performance.now() - before).toBeGreaterThanOrEqual(600 + 19 * 50);
});

test("a step in one submit takes no rest of its own", async () => {
  const gpu = new FakeGpu();
  const submits = new Submits(gpu);
  const rests = new Rests(() => Promise.reject(new Error("not asked for")));
  await finished(submits.run([fakeProgram([10])], { rests, more: false }));
  expect(() => rests.end()).not.toThrow();
});

test("after a rest that rejects there is none, and the step ends whole before the error is thrown", async () => {
  const gpu = new FakeGpu();
  const submits = new Submits(gpu);
  let asked = 0;
  const rests = new Rests(async () => {
    if (++asked === 2) throw new Error("stopped");
  });
  await finished(submits.run([long], { rests, more: false }));
  expect(asked).toBe(2);
  expect(gpu.submits.reduce((sum, ms) => sum + ms, 0)).toBe(300);
  expect(() => rests.end()).toThrow("stopped");
});

/** Steps of 3 ms that the device has done after two seconds. */
async function stepsIn2s(gpu: FakeGpu, step: (submits: Submits) => Promise<void>): Promise<number> {
  await finished(gpu.measure());
  const submits = new Submits(gpu);
  const before = performance.now();
  const done = gpu.submits.length;
  let over = false;
  const train = (async () => {
    while (!over) await step(submits);
  })();
  while (performance.now() - before < 2_000) await vi.advanceTimersByTimeAsync(1);
  over = true;
  await finished(train);
  return gpu.submits.length - done;
}

const short = fakeProgram([1, 1, 1]);

async function ourStep(submits: Submits): Promise<void> {
  submits.beginStep();
  await submits.run([short]);
  submits.endStep();
  await submits.room();
}

const GRID = { ms: 100, hears: true };

test("where completions arrive every 100 ms, steps keep at least 80% of their usual rate", async () => {
  const usual = await stepsIn2s(new FakeGpu(), ourStep);
  expect(usual).toBeGreaterThan(600);
  const gpu = new FakeGpu(GRID);
  expect(await stepsIn2s(gpu, ourStep)).toBeGreaterThanOrEqual(0.8 * usual);
  expect(gpu.nudges).toBeGreaterThan(100);
  expect(gpu.latency).toBeLessThan(5);
});

test("even where nudges are not heard, since more steps are then under way at a time", async () => {
  const gpu = new FakeGpu({ ms: 100, hears: false });
  const steps = await stepsIn2s(gpu, ourStep);
  expect(gpu.latency).toBe(100);
  expect(steps).toBeGreaterThanOrEqual(0.8 * (await stepsIn2s(new FakeGpu(), ourStep)));
});

test("the control: two steps under way and no nudges are some twenty steps a second", async () => {
  const gpu = new FakeGpu(GRID);
  const flying: Promise<unknown>[] = [];
  const { queue } = gpu.device;
  const steps = await stepsIn2s(gpu, async (submits) => {
    await submits.run([short]);
    flying.push(queue.onSubmittedWorkDone());
    if (flying.length >= 2) await flying.shift();
  });
  expect(steps).toBeLessThan(50);
});

test("a device that tells at once is never nudged, and has two steps to do at a time", async () => {
  const gpu = new FakeGpu();
  await stepsIn2s(gpu, ourStep);
  expect(gpu.nudges).toBe(0);
  const submits = new Submits(gpu);
  await finished(ourStep(submits));
  const before = gpu.submits.length;
  let started = 0;
  const train = (async () => {
    for (; started < 5; started++) await ourStep(submits);
  })();
  await vi.advanceTimersByTimeAsync(0);
  expect(gpu.submits.length - before).toBeLessThanOrEqual(2);
  await finished(train);
});
