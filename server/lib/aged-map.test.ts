import fc from "fast-check";
import { expect, test } from "vitest";
import { AgedMap } from "./aged-map.ts";

type Act =
  | { readonly type: "with"; readonly key: number }
  | { readonly type: "without"; readonly keys: readonly number[] };
const key = fc.nat(40);
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant("with" as const), key }),
    fc.record({ type: fc.constant("without" as const), keys: fc.array(key, { maxLength: 4 }) }),
  ),
  { maxLength: 120 },
);

test("is what a map is whose entries move to the young end, and no earlier one ever changes", () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), acts, (first, rest) => {
      let plain: ReadonlyMap<number, number | undefined> = new Map(first.map((one) => [one, -1]));
      let aged = AgedMap.of(plain);
      const earlier: [AgedMap<number, number | undefined>, [number, number | undefined][]][] = [];
      for (const [i, act] of rest.entries()) {
        earlier.push([aged, [...plain]]);
        const next = new Map(plain);
        if (act.type === "with") {
          next.delete(act.key);
          next.set(act.key, i);
          aged = aged.with(act.key, i);
        } else {
          for (const one of act.keys) next.delete(one);
          aged = aged.without(act.keys);
        }
        plain = next;
        expect([...aged]).toEqual([...plain]);
        expect(aged.size).toBe(plain.size);
        for (let one = 0; one <= 40; one++) {
          expect(aged.get(one)).toBe(plain.get(one));
          expect(aged.has(one)).toBe(plain.has(one));
        }
      }
      for (const [old, entries] of earlier) expect([...old.entries()]).toEqual(entries);
    }),
  );
});

test("reads as a map does: keys, values, forEach, and JSON through a plain one", () => {
  const aged = AgedMap.of(new Map([["a", 1]]))
    .with("b", 2)
    .with("a", 3);
  expect([...aged.keys()]).toEqual(["b", "a"]);
  expect([...aged.values()]).toEqual([2, 3]);
  const seen: unknown[] = [];
  aged.forEach((value, one) => {
    seen.push([one, value]);
  });
  expect(seen).toEqual([
    ["b", 2],
    ["a", 3],
  ]);
  expect(aged.toJSON()).toEqual(
    new Map([
      ["b", 2],
      ["a", 3],
    ]),
  );
  expect(AgedMap.of(aged)).toBe(aged);
  expect(aged.without(["none"])).toBe(aged);
});
