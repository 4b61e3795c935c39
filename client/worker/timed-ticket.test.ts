import { expect, test } from "vitest";
import type { TicketTerms } from "../../protocol/ticket.ts";
import { stepsDone, type Upload } from "../../protocol/upload.ts";
import { ToyServer } from "../../test/harness/toy-run.ts";
import { ToyTrainer } from "../../test/harness/toy-trainer.ts";
import { always, visit } from "../../test/harness/visit.ts";
import { memoryCache } from "../cache/cache.ts";
import type { PauseReason } from "./messages.ts";

const timed = { steps: 10, rates: Array<number>(10).fill(0.01), trainFor: 1_000 };
async function sent(stepMs: number, terms: Partial<TicketTerms>): Promise<Upload> {
  const server = await ToyServer.open();
  server.terms = terms;
  const trainer = new ToyTrainer();
  const here = visit(server, memoryCache(), always(trainer));
  const step = trainer.step.bind(trainer);
  trainer.step = (...about) => {
    here.pass(stepMs);
    return step(...about);
  };
  await here.until("sent", 1);
  return server.uploads[0]!;
}

test.each([
  [300, 3, "none begins that would end too late"],
  [5_000, 1, "one is always done"],
  [1, 10, "and never more than it has"],
])(
  "of a ticket that says how long to train, with steps of %d ms, %d are done and told; %s",
  async (stepMs, steps) => {
    const { report } = await sent(stepMs, timed);
    expect(report.steps).toBe(steps);
  },
);

test("the control: of a ticket that says no time, all steps are done", async () => {
  const { trainFor: _, ...all } = timed;
  const { ticket, report } = await sent(300, all);
  expect(report.steps).toBeUndefined();
  expect(stepsDone({ ticket, report })).toBe(10);
});

/** In a visit whose tickets have ten steps each, the visitor pauses in the third, before the step is done or in its middle. */
async function paused(why: PauseReason, inStep = false) {
  const server = await ToyServer.open();
  server.terms = timed;
  const trainer = new ToyTrainer();
  const here = visit(server, memoryCache(), always(trainer));
  if (inStep) here.control.share = 0.5;
  const pausing = Promise.withResolvers<void>();
  trainer.onStep = async (step, rest) => {
    if (step !== 3) return;
    here.control.pause(why);
    pausing.resolve();
    await rest?.(0);
  };
  const sending = Promise.withResolvers<void>();
  here.watch(({ type }) => type === "sent" && sending.resolve());
  const ended = here.until("sent", 2);
  const stepsSent = () => server.uploads.map(({ report }) => report.steps);
  return { server, here, ended, stepsSent, pausing: pausing.promise, sending: sending.promise };
}

test("T8: a pause ends such a ticket: what is done is sent, and no work is asked for until it is over", async () => {
  const { server, here, ended, stepsSent, sending } = await paused("visitor");
  await sending;
  await new Promise(setImmediate);
  expect(stepsSent()).toEqual([3]);
  expect(server.asked.filter((route) => route === "ticket")).toHaveLength(1);
  expect(here.phases().at(-1)).toBe("paused");
  here.control.resume();
  await ended;
  expect(stepsSent()).toEqual([3, 10]);
});

test.each<[PauseReason, boolean, string]>([
  ["saver", false, "that saves data"],
  ["budget", false, "that keeps a site's allowance"],
  ["visitor", true, "in the middle of a step, where the device is to be free at once"],
])("the control: a pause (%s, in a step: %s) sends nothing %s", async (why, inStep) => {
  const { here, ended, stepsSent, pausing } = await paused(why, inStep);
  await pausing;
  await new Promise(setImmediate);
  here.control.resume();
  await ended;
  expect(stepsSent()).toEqual([10, 10]);
});

test("a pause before the first step has nothing to send", async () => {
  const server = await ToyServer.open();
  server.terms = timed;
  const here = visit(server);
  let paused = false;
  here.watch((report) => {
    if (paused || report.type !== "phase" || report.phase.phase !== "training") return;
    paused = true;
    here.control.pause("visitor");
    setImmediate(() => here.control.resume());
  });
  await here.until("sent", 1);
  expect(here.count("refused")).toBe(0);
  expect(server.uploads[0]!.report.steps).toBe(10);
});

test("a visitor who stops while it pauses has sent nothing that was not on its way", async () => {
  const { server, here, ended, pausing } = await paused("saver");
  await pausing;
  await new Promise(setImmediate);
  here.control.stop();
  expect(await ended).toBe("stopped");
  expect(server.uploads).toEqual([]);
});
