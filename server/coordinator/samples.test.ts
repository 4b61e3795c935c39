import { expect, it } from "vitest";
import { keepSample, type Samples } from "./samples.ts";

const after = (versions: readonly number[]) =>
  versions.reduce<Samples>((kept, version) => keepSample(kept, { version, text: `v${version}` }), []);

it("keeps the first sample and then fewer and fewer", () => {
  expect(after(Array.from({ length: 300 }, (_, i) => i)).map(({ version }) => version)).toEqual([
    0, 1, 4, 16, 64, 256,
  ]);
  expect(after([7, 8, 27, 28]).map(({ text }) => text)).toEqual(["v7", "v28"]);
});

it("keeps nothing twice, and nothing older than what it has", () => {
  expect(after([0, 0, 3, 2, 3])).toEqual([
    { version: 0, text: "v0" },
    { version: 3, text: "v3" },
  ]);
});
