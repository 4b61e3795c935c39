import { afterEach, beforeEach, expect, test } from "vitest";
import { MAX_TURN_MS } from "../../protocol/limits.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { nonceOf, TestVolunteer, type TinyRun, tinyRun, tinySettings } from "../../test/harness/tiny-run.ts";

/** Those who wait for their turn, where as many are at work as may be: one. */
let tiny: TinyRun;
let first: TestVolunteer;
let second: TestVolunteer;
beforeEach(async () => {
  tiny = await tinyRun({ settings: tinySettings({ rounds: "turns", crowd: 1 }) });
  [first, second] = [await TestVolunteer.create(), await TestVolunteer.create()];
  await first.ticket(tiny.run);
});
afterEach(() => tiny.run.close());

/** Asks, and says by which word it was answered: "ticket", or the code of the refusal; undefined while it waits. */
function asking(volunteer: TestVolunteer, gone?: () => boolean): { answer?: string } {
  const asked: { answer?: string } = {};
  tiny.run.ticket(volunteer.identity.key, nonceOf(1), {}, gone).then(
    (_: Ticket) => {
      asked.answer = "ticket";
    },
    (error: { code: string }) => {
      asked.answer = error.code;
    },
  );
  return asked;
}

async function passes(ms: number): Promise<void> {
  tiny.clock.ms += ms;
  tiny.run.tick();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("N6: the next gets work when its turn has come, and after 45 seconds whatever the others do", async () => {
  const asked = asking(second);
  for (let passed = 1_000; passed < MAX_TURN_MS; passed += 1_000) await passes(1_000);
  expect(asked.answer).toBeUndefined();
  await passes(1_000); // its client would wait for little longer
  expect(asked.answer).toBe("ticket");
});

test("who left while it waited is given no ticket that others would wait for", async () => {
  const third = await TestVolunteer.create();
  const [left, waits] = [asking(second, () => true), asking(third)];
  await passes(1_000);
  expect(left.answer).toBe("bad-request");
  await passes(44_000);
  expect(waits.answer).toBe("ticket"); // the control: who stayed
});

test.each([
  ["paused", () => tiny.run.admin.pause(), "run-paused"],
  ["draining", () => tiny.run.admin.drain(), "run-paused"],
  ["finished", () => tiny.run.admin.finish(), "run-finished"],
] as const)("who waits learns at once that the run is %s", async (_, rest, code) => {
  const asked = asking(second);
  await passes(1_000);
  expect(asked.answer).toBeUndefined(); // the control
  await rest();
  await passes(0);
  expect(asked.answer).toBe(code);
});
