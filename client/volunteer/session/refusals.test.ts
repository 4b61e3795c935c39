import { expect, it } from "vitest";
import type { ChoiceStorage } from "./choices.ts";
import { keptRefusals } from "./refusals.ts";

function memory(): ChoiceStorage & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

it("counts by reason, newest first, and finds them again after a reload, of this run alone", () => {
  const storage = memory();
  let now = 10;
  const refusals = keptRefusals(storage, () => now++);
  refusals.enter("a");
  refusals.add("stale");
  refusals.add("not-finite");
  refusals.add("stale");
  const expected = [
    { code: "stale", times: 2, last: 12 },
    { code: "not-finite", times: 1, last: 11 },
  ];
  expect(refusals.list.value).toEqual(expected);
  const reloaded = keptRefusals(storage, () => now++);
  reloaded.enter("a");
  expect(reloaded.list.value).toEqual(expected);
  const other = keptRefusals(storage, () => now++);
  other.enter("b");
  expect(other.list.value).toEqual([]);
  reloaded.forget();
  expect([...storage.kept]).toEqual([]);
});

it.each([
  "nonsense",
  "null",
  '{"run":"a"}',
  '{"run":"a","refused":[{"code":"stale","times":-1,"last":1}]}',
  '{"run":"a","refused":[{"code":"<b>","times":1,"last":1}]}',
])("takes %s in storage for nothing", (text) => {
  const storage = memory();
  storage.setItem("murmuration-refused", text);
  const refusals = keptRefusals(storage, () => 0);
  refusals.enter("a");
  expect(refusals.list.value).toEqual([]);
});

it("counts on where storage is denied", () => {
  const denied = () => {
    throw new Error("denied");
  };
  const refusals = keptRefusals({ getItem: denied, setItem: denied, removeItem: denied }, () => 0);
  refusals.enter("a");
  refusals.add("stale");
  expect(refusals.list.value).toHaveLength(1);
});
