import { expect, test } from "vitest";
import type { TicketTerms } from "../../protocol/ticket.ts";
import { stepsDone, type Upload } from "../../protocol/upload.ts";
import { ToyServer } from "../../test/harness/toy-run.ts";
import { ToyTrainer } from "../../test/harness/toy-trainer.ts";
import { always, visit } from "../../test/harness/visit.ts";
import { memoryCache } from "../cache/cache.ts";

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
