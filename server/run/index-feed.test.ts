import { expect, test } from "vitest";
import type { RunId } from "../../protocol/ids.ts";
import { indexedDelta } from "../../test/harness/index-contract.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import type { IndexEntry } from "../store/store.ts";
import { IndexFeed } from "./index-feed.ts";

const run = "0".repeat(64) as RunId;
const entriesOf = (n: number): IndexEntry[] => [{ type: "accepted", delta: indexedDelta(n) }];

async function* journal(before: number, gate?: Promise<void>) {
  for (let sequence = 0; sequence < before; sequence++) {
    if (sequence === 2) await gate;
    yield { sequence, entries: entriesOf(sequence) };
  }
}

/** A feed that was given records 0 to 3. */
function fed() {
  const index = memoryIndex();
  const failures: string[] = [];
  const feed = new IndexFeed(index, (error) => failures.push(String(error)));
  for (let n = 0; n < 4; n++) feed.add(entriesOf(n));
  return { index, feed, failures };
}

const known = (feed: IndexFeed) => [0, 1, 2, 3, 4, 5].filter((n) => feed.delta(indexedDelta(n).ticket));

test("what is added during a rebuild is known at once, and comes into the index once and in order", async () => {
  const { index, feed } = fed();
  const gate = Promise.withResolvers<void>();
  const asked: number[] = [];
  const told = (before: number) => {
    asked.push(before);
    return journal(before, gate.promise);
  };
  const rebuilt = feed.rebuild(run, told);
  feed.add(entriesOf(4));
  await feed.rebuild(run, told); // one is under way
  feed.add(entriesOf(5));
  expect(asked).toEqual([4]);
  expect(known(feed)).toEqual(expect.arrayContaining([4, 5]));
  gate.resolve();
  await rebuilt;
  expect(index.applied).toBe(6);
  expect(known(feed)).toEqual([0, 1, 2, 3, 4, 5]);
  const pending = [0, 1, 2, 3, 4, 5]
    .map((n) => indexedDelta(n))
    .filter(({ volunteer }) => volunteer === indexedDelta(0).volunteer);
  expect(index.credit(indexedDelta(0).volunteer, 0).pending).toBe(pending.length);
});

test("a rebuild that fails is reported and loses nothing added since; the next one repairs it", async () => {
  const { index, feed, failures } = fed();
  await feed.rebuild(run, () => journal(4, Promise.reject(new Error("the disk went away"))));
  expect(failures).toEqual(["Error: the disk went away"]);
  feed.add(entriesOf(4));
  expect([index.applied, known(feed)]).toEqual([2, [0, 1, 4]]); // 4 does not follow on 1: it waits
  await feed.rebuild(run, journal);
  expect([index.applied, known(feed)]).toEqual([5, [0, 1, 2, 3, 4]]);
});

test("a delta that has its receipt is pending once, before the journal has it and after", () => {
  const { feed } = fed();
  const { volunteer } = indexedDelta(4);
  const before = feed.credit(volunteer, 0).pending;
  for (let times = 0; times < 2; times++) feed.expect(indexedDelta(4));
  expect(feed.credit(volunteer, 0).pending).toBe(before + 1);
  feed.add(entriesOf(4));
  feed.expect(indexedDelta(4));
  expect(feed.credit(volunteer, 0).pending).toBe(before + 1);
  // However long nobody leads, so many are remembered.
  for (let n = 5; n < 20_010; n++) feed.expect(indexedDelta(n));
  expect(feed.credit(volunteer, 0).pending).toBe(before + 1 + 20_000);
});
