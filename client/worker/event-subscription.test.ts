import { expect, onTestFinished, test } from "vitest";
import { ToyServer } from "../../test/harness/toy-run.ts";
import { VirtualTime } from "../../test/harness/virtual-time.ts";
import { EventSubscription } from "./event-subscription.ts";

/** The events of a toy server, and what happened when, on virtual time. */
async function listening() {
  const time = new VirtualTime(onTestFinished);
  const server = await ToyServer.open();
  const events = new EventSubscription({ api: server, sleep: time.sleep, random: () => 0.5 });
  const stop = new AbortController();
  const heard = events.listen(stop.signal);
  const version = (version: number) => {
    const { hash } = server.versions[0]!;
    server.announce({ type: "version", version, hash, diffBytes: 1, deltas: 1, tokens: 1, ms: 1 });
  };
  const wait = async (ms: number) => {
    await events.wait(ms, stop.signal);
    return time.now;
  };
  return { time, server, events, stop, heard, version, wait };
}

test("who waits is woken when the run moves on, spread a little", async () => {
  const { time, events, version, wait } = await listening();
  const woken = time.until(wait(30_000));
  await new Promise(setImmediate);
  version(7);
  expect(await woken).toBe(250);
  expect(events.newest?.version).toBe(7);
  // but not by what changes nothing
  const later = time.until(wait(1_000));
  await new Promise(setImmediate);
  version(7);
  expect(await later).toBe(1_250);
});

test("a stream that fails is opened again with growing waits, and polling goes on meanwhile", async () => {
  const time = new VirtualTime(onTestFinished);
  const server = await ToyServer.open();
  const opened: number[] = [];
  const api = Object.assign(Object.create(server) as ToyServer, {
    // biome-ignore lint/correctness/useYield: it fails before it has anything to tell
    events: async function* () {
      opened.push(time.now);
      throw new Error("too many listeners");
    },
  });
  const events = new EventSubscription({ api, sleep: time.sleep, random: () => 0.5 });
  const stop = new AbortController();
  const heard = events.listen(stop.signal);
  await time.until(events.wait(20_000, stop.signal));
  expect(time.now).toBe(20_000);
  expect(opened).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
  stop.abort();
  await heard;
});

test("a stop ends the waiting and the listening", async () => {
  const { time, stop, heard, wait, server } = await listening();
  const waiting = wait(1e6);
  waiting.catch(() => undefined);
  await new Promise(setImmediate);
  stop.abort(new Error("enough"));
  await expect(time.until(waiting)).rejects.toThrow("enough");
  await heard;
  expect(server.listeners).toBe(0);
});
