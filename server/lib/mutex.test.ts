import { expect, test } from "vitest";
import { Mutex } from "./mutex.ts";

test("work runs one piece after another, in call order, also after a piece that failed", async () => {
  const mutex = new Mutex();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = mutex.run(async () => {
    seen.push("first begins");
    await gate.promise;
    seen.push("first ends");
    throw new Error("first failed");
  });
  const second = mutex.run(async () => {
    seen.push("second");
    return 2;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(["first begins"]);
  gate.resolve();
  await expect(first).rejects.toThrow("first failed");
  expect(await second).toBe(2);
  expect(seen).toEqual(["first begins", "first ends", "second"]);
});
