import { expect, test } from "vitest";
import { F32 } from "../../protocol/codec/codec.ts";
import { addFrame, encodeFrame } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import { vectorTask } from "../../test/harness/tiny-run.ts";
import type { SnapshotPlace } from "./checkpoint.ts";
import { Diffs } from "./diffs.ts";
import { oldWeights } from "./old-weights.ts";
import { saveSnapshot } from "./snapshots.ts";

const task = vectorTask();
const vector = (seed: number) => Float32Array.from({ length: 10 }, (_, i) => Math.sin(seed * 10 + i));

/** Versions 4 to 8, each a diff away from the one before, of which some are stored whole. */
async function versions(...whole: readonly number[]) {
  const store = memoryStore();
  const diffs = await Diffs.open(store);
  const weights = new Map<number, Float32Array<ArrayBuffer>>();
  const places: SnapshotPlace[] = [];
  const x = vector(0);
  for (let version = 4; version <= 8; version++) {
    weights.set(version, x.slice());
    if (whole.includes(version)) {
      const file = task.encode(x);
      const hash = await sha256(file);
      await saveSnapshot(store, hash, file, { x, theta: x, momentum: x });
      places.push({ version, hash, needs: 0 });
    }
    const diff = encodeFrame(F32, vector(version));
    if (version < 8) await diffs.save(version, await sha256(diff), diff);
    addFrame(diff, x, 1);
  }
  return { stored: { store, diffs }, weights, places };
}

test("a version that is not stored whole is reached by the diffs from one before it, to the byte", async () => {
  const { stored, weights, places } = await versions(4);
  for (const version of [4, 6, 8]) {
    expect(await oldWeights(stored, task, places, version)).toEqual(weights.get(version));
  }
});

test("and back from one after it, up to rounding, where none before it is kept", async () => {
  const { stored, weights, places } = await versions(7);
  const back = await oldWeights(stored, task, places, 4);
  const off = back?.map((value, i) => Math.abs(value - weights.get(4)![i]!));
  expect(Math.max(...off!)).toBeLessThan(1e-6);
});

test("where no diff leads there from one place, as across a roll-back, the next is tried; in the end there is nothing", async () => {
  const { stored, places } = await versions(4, 8);
  await stored.diffs.drop(4);
  const [before, after] = [places.slice(0, 1), places.slice(1)];
  expect(await oldWeights(stored, task, before, 6)).toBeUndefined();
  expect(await oldWeights(stored, task, places, 6)).toEqual(await oldWeights(stored, task, after, 6));
  expect(await oldWeights(stored, task, after, 6)).toBeInstanceOf(Float32Array);
  expect(await oldWeights(stored, task, after, 4)).toBeUndefined();
  expect(await oldWeights(stored, task, [], 6)).toBeUndefined();
  const removed = { ...after[0]!, hash: before[0]!.hash.replace(/./, "0") as SnapshotPlace["hash"] };
  expect(await oldWeights(stored, task, [removed], 8)).toBeUndefined();
});
