import { expect, test } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import { memoryStore } from "../../test/harness/memory-store.ts";
import { Diffs } from "./diffs.ts";

const [one, two] = [utf8("one"), utf8("two")];
const [hashOfOne, hashOfTwo] = [await sha256(one), await sha256(two)];

test("a diff has its hash in its name; another for the same version takes its place", async () => {
  const store = memoryStore();
  const diffs = await Diffs.open(store);
  await diffs.save(7, hashOfOne, one);
  expect(await store.list("diffs")).toEqual([`7-${hashOfOne}`]);
  await diffs.save(7, hashOfTwo, two);
  expect(await store.list("diffs")).toEqual([`7-${hashOfTwo}`]);
  expect([await diffs.read(7), await diffs.hashOf(7)]).toEqual([two, hashOfTwo]);
  expect([await diffs.read(8), await diffs.hashOf(8)]).toEqual([undefined, undefined]);
});

test("diffs that an earlier program stored by number alone are read, known by their hash, and let go of", async () => {
  const store = memoryStore();
  for (const name of ["3", "10", "notes.txt"]) await store.put("diffs", name, one);
  const diffs = await Diffs.open(store);
  expect([...diffs.versions]).toEqual([10, 3]);
  expect([await diffs.read(10), await diffs.hashOf(10)]).toEqual([one, hashOfOne]);
  await diffs.dropBefore(10);
  expect(await store.list("diffs")).toEqual(["10", "notes.txt"]);
  await diffs.drop(10);
  await diffs.drop(10);
  expect(await store.list("diffs")).toEqual(["notes.txt"]);
});

test("what another has stored since is not let go of", async () => {
  const store = memoryStore();
  const diffs = await Diffs.open(store);
  await store.put("diffs", `1-${hashOfTwo}`, two);
  await diffs.save(1, hashOfOne, one);
  await diffs.dropBefore(5);
  expect(await store.list("diffs")).toEqual([`1-${hashOfTwo}`]);
});
