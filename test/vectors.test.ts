import { expect, it } from "vitest";
import { compare } from "./independent/check-vectors.js";
import { makeVectors, readVectors, textOf } from "./make-vectors.ts";

it("protocol/vectors.json is what the product makes today", async () => {
  expect(readVectors()).toBe(`${textOf(await makeVectors())}\n`);
});

it("the second implementation computes every test vector to the same value", () => {
  const { compared, differences } = compare(JSON.parse(readVectors()));
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(100);
});

it.each([
  ["a signature", /"signature":"(.)/, "request: signature"],
  ["a token of a batch", /"steps":\[\[(?:\d+,){3}(\d)/, "batches 0"],
  ["a digit of a frame", /"frame":"4d55524d[0-9a-f]{52}(.)/, "an upload's frame"],
])("a changed vector is found, %s, the control", (_what, where, found) => {
  const text = JSON.stringify(JSON.parse(readVectors()));
  const changed = text.replace(where, (match, one: string) => match.slice(0, -1) + (one === "0" ? "1" : "0"));
  expect(changed).not.toBe(text);
  const differences = () => compare(JSON.parse(changed)).differences.join("\n");
  expect(differences()).toContain(found);
});
