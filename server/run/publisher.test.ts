import { expect, test } from "vitest";
import { eventLogOver, settled } from "../../test/harness/event-log.ts";
import { silentLog } from "../../test/harness/tiny-run.ts";
import { Publisher } from "./publisher.ts";

const none = () => {
  throw new Error("not asked for");
};

/** A publisher over an event log without a store; `times` says how often something has ended. */
function publisherOver() {
  let [ms, times] = [0, 0];
  const { log, appends, clock, projections } = eventLogOver(() => ms);
  const publisher = new Publisher({
    ...{ events: log, clock, projections },
    options: { clock: () => ms, log: silentLog, store: {} as never },
    ...{ identity: {} as never, versions: {} as never, definition: none },
    ended: () => void times++,
  });
  const pass = (more: number) => {
    ms += more;
  };
  return { log, appends, publisher, pass, times: () => times };
}

const paused = { type: "state", at: 0, state: "paused" } as const;

test("one decision is journaled at a time, and those who wait for it go on when it is", async () => {
  const { appends, publisher, times } = publisherOver();
  publisher.decide(paused);
  publisher.decide(paused);
  expect([publisher.activity, appends.length]).toEqual(["recording", 1]);
  let waited = true;
  const waiting = publisher.settled().then(() => {
    waited = false;
  });
  await settled();
  expect(waited).toBe(true);
  appends[0]?.resolve(1);
  await waiting;
  expect([publisher.activity, times()]).toEqual(["idle", 1]);
});

test("after a decision that could not be kept it rests a second; control: after one that was kept it does not", async () => {
  const { appends, publisher, pass } = publisherOver();
  publisher.decide(paused);
  appends[0]?.reject(new Error("the disk is full"));
  await settled();
  publisher.decide(paused);
  expect([publisher.resting, appends.length]).toEqual([true, 1]);
  pass(1_000);
  publisher.decide(paused);
  appends[1]?.resolve(1);
  await settled();
  expect([publisher.resting, publisher.activity]).toEqual([false, "idle"]);
});

test("nothing is decided while an event that may take deltas away is on its way", async () => {
  const { log, appends, publisher } = publisherOver();
  const recorded = log.record(paused);
  publisher.decide({ ...paused, state: "finished" });
  expect([publisher.activity, appends.length]).toEqual(["idle", 1]);
  appends[0]?.resolve(1);
  await recorded;
  publisher.decide({ ...paused, state: "finished" });
  expect(publisher.activity).toBe("recording");
});

test("once it is stopped it begins nothing, and waits for what is under way", async () => {
  const { appends, publisher } = publisherOver();
  publisher.decide(paused);
  const stopped = publisher.stop();
  publisher.publish({ type: "closed", at: 0, version: 0, merged: [] });
  expect(publisher.activity).toBe("recording");
  appends[0]?.resolve(1);
  await stopped;
  publisher.decide(paused);
  expect([publisher.activity, appends.length]).toEqual(["idle", 1]);
});
