import { expect, onTestFinished, test, vi } from "vitest";
import { createIdentity, sign, verify } from "./identity.ts";

/** A browser whose key maker fails so many times, each time in this way. */
function failing(times: number, name: string) {
  const real = crypto.subtle.generateKey.bind(crypto.subtle) as (
    ...given: unknown[]
  ) => Promise<CryptoKeyPair>;
  let calls = 0;
  const spy = vi.spyOn(crypto.subtle, "generateKey").mockImplementation((async (...given: unknown[]) => {
    if (calls++ < times) throw new DOMException("no reason given", name);
    return real(...given);
  }) as typeof crypto.subtle.generateKey);
  onTestFinished(() => spy.mockRestore());
  return () => calls;
}

test("a browser that fails at some keys, as WebKit does, makes the next", async () => {
  const calls = failing(2, "OperationError");
  const { key, privateKey } = await createIdentity();
  expect(calls()).toBe(3);
  expect(await verify(key, "ticket", { a: 1 }, await sign(privateKey, "ticket", { a: 1 }))).toBe(true);
});

test("one that fails at every key is not asked for ever", async () => {
  const calls = failing(Number.POSITIVE_INFINITY, "OperationError");
  await expect(createIdentity()).rejects.toThrow("no reason given");
  expect(calls()).toBe(5);
});

test("one that knows no Ed25519 is asked once", async () => {
  const calls = failing(Number.POSITIVE_INFINITY, "NotSupportedError");
  await expect(createIdentity()).rejects.toThrow("no reason given");
  expect(calls()).toBe(1);
});
