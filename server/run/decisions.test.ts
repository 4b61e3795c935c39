import { expect, test } from "vitest";
import {
  countingRandom,
  restart,
  TestVolunteer,
  type TinyRun,
  tinyRun,
  tinySettings,
  until,
} from "../../test/harness/tiny-run.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Auditor } from "../evaluate/ports.ts";
import type { Merger } from "../merge/merger.ts";

/**
 * What is decided of deltas that another event, on its way to the journal, takes away. Written behind it, the decision
 * would contradict it, and no start could read the journal any more.
 */
interface Held {
  readonly tiny: TinyRun;
  readonly events: DurableEvent[];
  /** Lets the audit come to its end: the delta does harm. */
  readonly convict: () => void;
}

/** A run in which one delta waits for a second, and is being audited. */
async function waiting(): Promise<Held> {
  const events: DurableEvent[] = [];
  const { promise: convicted, resolve: convict } = Promise.withResolvers<void>();
  const harm = { before: 1, after: 2 };
  const auditor: Auditor = {
    audit: async () => {
      await convicted;
      return { assigned: harm, gate: harm };
    },
    direct: async () => new Float32Array(10),
    effects: async ({ frames }) => frames.map(() => [0]),
  };
  const counting = countingRandom();
  const random = (bytes: number) => (bytes < 8 ? new Uint8Array(bytes) : counting(bytes));
  const settings = tinySettings({ trust: { auditShare: 0.5 } });
  const tiny = await tinyRun({ settings, auditor, random, observe: (event) => events.push(event) });
  await (await TestVolunteer.create()).contribute(tiny.run);
  return { tiny, events, convict };
}

/** Everything that is written from now on waits, until it is told to go on. */
function slowDisk({ files }: TinyRun): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  files.slow = promise;
  return resolve;
}

/** The time comes at which the version closes with what there is. */
function fallDue({ run, clock }: TinyRun): void {
  clock.ms += 60_000;
  run.tick();
}

const typesOf = (events: readonly DurableEvent[]) => events.map(({ type }) => type);

test("A1: a version that falls due while a verdict is being written closes without what the verdict takes away", async () => {
  const held = await waiting();
  const { tiny, events } = held;
  const goOn = slowDisk(tiny);
  const { operations } = tiny.files;
  held.convict();
  await until(() => tiny.files.operations > operations); // the verdict is on its way
  fallDue(tiny);
  goOn();
  await until(() => typesOf(events).includes("audited"));
  fallDue(tiny);
  expect(tiny.run.status()).toMatchObject({ version: 0 });
  await tiny.run.close();
  const again = await restart(tiny);
  expect(again.run.status()).toMatchObject({ version: 0 });
  expect(typesOf(events)).not.toContain("closed");
  await again.run.close();
});

test("A1: so it is with the run's end", async () => {
  const { tiny, events } = await waiting();
  const goOn = slowDisk(tiny);
  const finishing = tiny.run.admin.finish();
  fallDue(tiny);
  goOn();
  await finishing;
  await tiny.run.close();
  const again = await restart(tiny);
  expect(again.run.status()).toMatchObject({ version: 0, state: "finished" });
  expect(typesOf(events)).not.toContain("closed");
  await again.run.close();
});

test("A1, the control: with nothing on its way, the version falls due with that delta", async () => {
  const { tiny } = await waiting();
  const goOn = slowDisk(tiny);
  fallDue(tiny);
  goOn();
  await until(() => tiny.run.status().version === 1);
  await tiny.run.close();
});

test("A1: a version that had closed when the run ended is published all the same, after a kill too", async () => {
  const merger: Merger = { merge: () => new Promise(() => {}) };
  const tiny = await tinyRun({ merger });
  const volunteer = await TestVolunteer.create();
  await volunteer.contribute(tiny.run);
  await volunteer.contribute(tiny.run);
  await tiny.run.admin.finish();
  const again = await restart(tiny);
  await until(() => again.run.status().version === 1);
  expect(again.run.status()).toMatchObject({ state: "finished" });
  expect(again.run.credit(volunteer.identity.key)).toMatchObject({ merged: 2, pending: 0 });
  await again.run.close();
});

test("A1, the control: what had not closed by then is discarded, visibly", async () => {
  const tiny = await tinyRun();
  const volunteer = await TestVolunteer.create();
  await volunteer.contribute(tiny.run);
  await tiny.run.admin.finish();
  const again = await restart(tiny);
  expect(again.run.status()).toMatchObject({ version: 0, state: "finished" });
  expect(again.run.credit(volunteer.identity.key)).toMatchObject({ merged: 0, pending: 0, refused: 1 });
  await again.run.close();
});
