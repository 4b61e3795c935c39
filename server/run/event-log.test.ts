import { expect, test } from "vitest";
import { eventLogOver, settled } from "../../test/harness/event-log.ts";

test("events are applied in the order in which they were recorded, when they are durable", async () => {
  const { log, appends, applied } = eventLogOver();
  const [paused, running] = [log.record(stateOf("paused")), log.record(stateOf("running"))];
  appends[1]?.resolve(2);
  await settled();
  expect([applied, log.state.phase], "the first is not durable yet").toEqual([[], "running"]);
  appends[0]?.resolve(1);
  await Promise.all([paused, running, log.idle()]);
  expect(applied).toEqual(["paused", "running"]);
});

test("an event that cannot be kept changes nothing, and the next one is applied all the same", async () => {
  const { log, appends, applied } = eventLogOver();
  const [lost, kept] = [log.record(stateOf("finished")), log.record(stateOf("paused"))];
  appends[0]?.reject(new Error("the disk is full"));
  appends[1]?.resolve(1);
  await expect(lost).rejects.toThrow("the disk is full");
  await kept;
  expect([applied, log.state.phase]).toEqual([["paused"], "paused"]);
});

test("while an event that may take deltas away is on its way, it says so", async () => {
  const { log, appends } = eventLogOver();
  const ruled = log.record({ type: "ruled", at: 0, volunteer: "v".repeat(43) as never, ruling: "banned" });
  expect(log.takesDeltas, "a ruling takes none").toBe(false);
  const paused = log.record(stateOf("paused"));
  expect(log.takesDeltas).toBe(true);
  for (const [i, append] of appends.entries()) append.resolve(i);
  await Promise.all([ruled, paused]);
  expect(log.takesDeltas).toBe(false);
});

const stateOf = (state: "paused" | "running" | "finished") => ({ type: "state", at: 0, state }) as const;
