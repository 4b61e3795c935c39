import { expect, test } from "vitest";
import { describeAdapter } from "./platform.ts";

type Gpu = NonNullable<Parameters<typeof describeAdapter>[0]>;
/** A WebGPU whose adapter is what a browser, well or badly made, answers with. */
const answering = (requestAdapter: () => unknown) => ({ requestAdapter }) as Gpu;

test("an adapter is known by its own words, as many as the browser tells", async () => {
  const info = { vendor: "acme", architecture: "one", device: "", description: "Acme One" };
  expect(await describeAdapter(answering(async () => ({ info })))).toBe("acme one  Acme One");
  expect(await describeAdapter(answering(async () => ({ info: { vendor: "acme" } })))).toBe("acme   ");
});

test.each<[string, Gpu | undefined, string]>([
  ["without WebGPU", undefined, "no WebGPU"],
  ["whose adapters have no info", answering(async () => ({})), "   "],
  ["without an adapter", answering(async () => null), "no adapter"],
  ["that answers with nothing", answering(async () => undefined), "no adapter"],
  ["that refuses", answering(() => Promise.reject(new Error("no"))), "no adapter"],
  [
    "that throws",
    answering(() => {
      throw new TypeError("no");
    }),
    "no adapter",
  ],
])("a browser %s is described all the same", async (_, gpu, described) => {
  expect(await describeAdapter(gpu)).toBe(described);
});
