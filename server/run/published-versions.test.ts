import { beforeEach, expect, test } from "vitest";
import { F32 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { vectorTask } from "../../test/harness/tiny-run.ts";
import { begin } from "../coordinator/state.ts";
import { initialVectors, type Vectors } from "../merge/vectors.ts";
import type { SnapshotPlace } from "./checkpoint.ts";
import { NextVersion, type VersionBytes } from "./next-version.ts";
import { PublishedVersions } from "./published-versions.ts";

const task = vectorTask();
const vectorsOf = (value: number): Vectors => initialVectors(new Float32Array(10).fill(value));
const bytesOf = (value: number): VersionBytes => {
  const vectors = vectorsOf(value);
  return { vectors, file: task.encode(vectors.x) };
};
const [one, two, three] = [bytesOf(1), bytesOf(2), bytesOf(3)];
const [hashOne, hashTwo, hashThree] = (await Promise.all(
  [one, two, three].map(({ file }) => sha256(file)),
)) as [Hash, Hash, Hash];
/** Leads from each of these versions to the next. */
const frame = encodeFrame(F32, new Float32Array(10).fill(1));
const hashOfFrame = await sha256(frame);

/** What is on the shelf of snapshots, and the names that were asked for there. */
let shelf: Map<string, Uint8Array<ArrayBuffer>>;
let asked: string[];
let places: SnapshotPlace[];
/** Versions that a diff leads away from. */
let diffs: Set<number>;
let saved: { readonly place: SnapshotPlace; readonly bytes: VersionBytes }[];
let versions: PublishedVersions;

/** Versions of a run that is at version 1, over parts that are nowhere but here. */
beforeEach(() => {
  [shelf, asked, places, diffs, saved] = [new Map(), [], [], new Set(), []];
  const read = async (from: number) => (diffs.has(from) ? frame : undefined);
  versions = new PublishedVersions(
    {
      task,
      store: {
        get: async (_, name) => {
          asked.push(name);
          return shelf.get(name);
        },
      },
      next: new NextVersion({
        task,
        diffs: {
          save: async (from) => void diffs.add(from),
          drop: async (from) => void diffs.delete(from),
          follow: read,
        },
        load: async () => three.vectors,
      }),
      diffs: { read, hashOf: async (from) => (diffs.has(from) ? hashOfFrame : undefined) },
      retention: {
        places,
        storing: undefined,
        has: (hash) => places.some((place) => place.hash === hash),
        atMost: (version) => places.findLast((place) => place.version <= version),
        around: () => places,
        rolledBack: (place) => void places.push(place),
        due: () => false,
        save: async (place, file, vectors) => void saved.push({ place, bytes: { file, vectors } }),
        idle: async () => {},
      },
    },
    hashOne,
    one,
  );
});

const publishTwo = async () => {
  await versions.next.merged(1, two.vectors, { frame, hash: hashOfFrame });
  versions.advance(hashTwo);
};

test("a version that was made ready is current from when its event is durable, and not before", async () => {
  await versions.next.merged(1, two.vectors, { frame, hash: hashOfFrame });
  expect(versions.current).toBe(one);
  versions.advance(hashTwo);
  expect(versions.current).toEqual(two);
  expect(() => versions.advance(hashTwo)).toThrow("was not merged");
});

test("recent files are at hand, and nothing is read for them", async () => {
  await publishTwo();
  expect(await versions.snapshot(hashOne)).toBe(one.file);
  expect(await versions.snapshot(hashTwo)).toEqual(two.file);
  expect(asked).toEqual([]);
});

test("an older file is read where the version is stored whole; for any other name nothing is looked up", async () => {
  shelf.set(`${hashThree}.safetensors`, three.file);
  expect(await versions.snapshot(hashThree)).toBeUndefined();
  expect(asked).toEqual([]);
  places.push({ version: 0, hash: hashThree, needs: 1 });
  expect(await versions.snapshot(hashThree)).toBe(three.file);
});

test("who follows a run that another process serves looks for every name: it does not know what is stored", async () => {
  shelf.set(`${hashThree}.safetensors`, three.file);
  diffs.add(1);
  await versions.prepareFollowed({ version: 2, hash: hashTwo, diff: hashOfFrame });
  expect(await versions.snapshot(hashThree)).toBe(three.file);
  versions.advance(hashTwo);
  expect(versions.current.file).toEqual(two.file); // by the diff, since its hash is right
});

test("the weights of an earlier version are reached by diffs from one that is stored whole", async () => {
  shelf.set(`${hashOne}.safetensors`, one.file);
  places.push({ version: 1, hash: hashOne, needs: 1 });
  expect(await versions.weightsAt(3)).toBeUndefined();
  for (const from of [1, 2]) diffs.add(from);
  expect(await versions.weightsAt(3)).toEqual(three.vectors.x);
});

test("a diff and its hash are there as long as it is kept", async () => {
  expect([await versions.diff(1), await versions.diffHash(1)]).toEqual([undefined, undefined]);
  await publishTwo();
  expect([await versions.diff(1), await versions.diffHash(1)]).toEqual([frame, hashOfFrame]);
});

test("the current version is stored with its file and all of its vectors", async () => {
  await publishTwo();
  const place = { version: 2, hash: hashTwo, needs: 5 };
  const state = begin({ type: "created", at: 0, hash: hashOne, genesis: {} });
  await versions.save(place, { applied: 5, state, frames: new Map(), late: [], asked: [] });
  expect(saved).toEqual([{ place, bytes: two }]);
});

test("a roll-back's version is a place of its own, from which later ones are found", () => {
  versions.rolledBack({ version: 4, hash: hashOne, needs: 9 });
  expect(versions.stored).toEqual([{ version: 4, hash: hashOne, needs: 9 }]);
  expect(versions.storedAtMost(7)?.version).toBe(4);
  expect(versions.storedAtMost(3)).toBeUndefined();
});

test("a version is put together from the newest one before it that is stored whole, and the diffs from there", async () => {
  expect(await versions.placeOf(3, hashThree)).toBeUndefined();
  places.push({ version: 1, hash: hashOne, needs: 1 });
  expect(await versions.placeOf(3, hashThree)).toBeUndefined();
  for (const from of [1, 2]) diffs.add(from);
  const from = { version: 1, hash: hashOne };
  expect(await versions.placeOf(3, hashThree)).toEqual({
    ...{ version: 3, hash: hashThree, from },
    diffs: [hashOfFrame, hashOfFrame],
  });
});
