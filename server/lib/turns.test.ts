import { expect, it } from "vitest";
import { Turns } from "./turns.ts";

it("has one that has much to do delay another by what is under way, and not by all that it has", async () => {
  const turns = new Turns(2);
  const [busy, quiet] = [{}, {}];
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const piece = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => void ends.push(resolve));
  };
  const all = Array.from({ length: 6 }, () => turns.run(busy, piece("busy")));
  all.push(turns.run(quiet, piece("quiet")));
  expect(turns.waiting).toBe(5);
  while (begun.length < all.length || ends.length > 0) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    ends.shift()?.();
  }
  await Promise.all(all);
  expect(begun.indexOf("quiet")).toBe(2); // the control: in the order of asking it would be the last
  expect(turns.waiting).toBe(0);
});
