import { expect, test } from "vitest";
import { eventLogOver, rules, settled } from "../../test/harness/event-log.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { Quality } from "./quality.ts";

/** How good a run's versions are, without audits; `loss` is what each measurement comes to. */
function qualityOver(loss = 3, evaluates = true) {
  const { log, appends, applied, clock } = eventLogOver();
  const measured: number[] = [];
  const back: number[] = [];
  const warned: string[] = [];
  const quality = new Quality({
    ...{ clock, events: log, late: {} as never, signer: {} as never },
    options: {
      log: { ...silentLog, warn: (_: object, line: string) => void warned.push(line) },
      ...(evaluates && {
        evaluator: {
          evaluate: async (version: number) => {
            measured.push(version);
            return { loss, sample: "" };
          },
        },
      }),
    } as never,
    definition: () => ({ rules, settings: { trust: { auditShare: 0 } } }) as never,
    versions: {
      stored: [{ version: 0 }],
      current: { vectors: { x: new Float32Array(1) } },
      placeOf: async () => undefined,
    } as never,
    publisher: { rollBack: async (to) => void back.push(to) },
  });
  return { quality, log, appends, applied, measured, back, warned };
}

test("a run that opens with a version that nobody has measured has it measured, and journals what it is", async () => {
  const { appends, applied, measured, log } = qualityOver();
  await settled();
  expect(measured).toEqual([0]);
  appends[0]?.resolve(1);
  await log.idle();
  expect([applied, log.state.heldOut.at(-1)?.loss]).toEqual([["evaluated"], 3]);
});

test("what cannot be kept of a measurement is said once, and changes nothing", async () => {
  const { appends, warned, log } = qualityOver();
  await settled();
  appends[0]?.reject(new Error("the disk is full"));
  await settled();
  expect([warned, log.state.heldOut.length]).toEqual([["an evaluation could not be kept"], 0]);
});

test("once stopped it measures nothing more; without an evaluator it never does", async () => {
  const { quality, measured } = qualityOver();
  await settled();
  quality.stop();
  quality.evaluate(1, 32);
  await settled();
  expect(measured).toEqual([0]);
  const none = qualityOver(3, false);
  none.quality.evaluate(1, 32);
  await settled();
  expect([none.measured, none.appends]).toEqual([[], []]);
});

test("without audits a run whose loss has risen goes back as far as it is said", async () => {
  const { quality, appends, back, log } = qualityOver();
  await settled();
  appends[0]?.resolve(1);
  await log.idle();
  await quality.diverged(0);
  expect(back).toEqual([0]);
});
