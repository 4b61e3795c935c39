import { expect, test } from "vitest";
import type { Hash, ObjectName, RunId } from "../../protocol/ids.ts";
import { Reader } from "./reader.ts";

const hash = (n: number) => n.toString(16).padStart(64, "0") as Hash;
const bytes = (n: number) => Uint8Array.of(n);

/** The reader of a run at version 3 that still has one snapshot, the diffs from version 1 on, and one shard. */
function readerOver() {
  const run = {
    state: { phase: "paused", version: 3, hash: hash(3) },
    versions: {
      current: { file: bytes(3) },
      snapshot: async (asked: Hash) => (asked === hash(3) ? bytes(3) : undefined),
      diff: async (version: number) => (version >= 1 ? bytes(10 + version) : undefined),
      diffHash: async (version: number) => hash(10 + version),
    },
  };
  const corpus = { shard: async (asked: Hash) => bytes(asked === hash(7) ? 7 : 0) };
  const fixed = { run: "r" as RunId, name: "a run" };
  return new Reader(run as never, fixed as never, {} as never, { store: {}, corpus } as never);
}

const notFound = { code: "not-found" };

test("a manifest is the fixed part, and the version and state of now", () => {
  expect(readerOver().manifest()).toEqual({
    ...{ run: "r", name: "a run", state: "paused", version: 3, hash: hash(3) },
  });
});

test("a diff is one that leads to a version that is there, and has the hash that is asked for", async () => {
  const reader = readerOver();
  expect(await reader.diff(2)).toEqual(bytes(12));
  expect(await reader.diff(2, hash(12))).toEqual(bytes(12));
  for (const version of [3, -1, 0.5, Number.NaN, 0])
    await expect(reader.diff(version), String(version)).rejects.toMatchObject(notFound);
  await expect(reader.diff(2, hash(13))).rejects.toMatchObject(notFound);
});

test.each([
  [`snapshots/${hash(3)}`, 3],
  [`shards/${hash(7)}`, 7],
  ["diffs/1", 11],
])("%s is read from where it lies", async (name, found) => {
  expect(await readerOver().object(name as ObjectName)).toEqual(bytes(found));
});

test.each([`snapshots/${hash(4)}`, "snapshots/latest", "diffs/none", "shards/.."])(
  "%s is not served",
  async (name) => {
    await expect(readerOver().object(name as ObjectName)).rejects.toMatchObject(notFound);
  },
);
