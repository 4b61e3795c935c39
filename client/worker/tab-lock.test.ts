import { describe, expect, it } from "vitest";
import type { After } from "../../model/lib/deadline.ts";
import { holdTabLock } from "./tab-lock.ts";

/** A lock manager that denies everything, as in a third-party frame without storage access. */
const denied: Pick<LockManager, "request" | "query"> = {
  request: () => Promise.reject(new DOMException("The request was denied.", "SecurityError")),
  query: () => Promise.reject(new DOMException("The request was denied.", "SecurityError")),
};
const { signal } = new AbortController();
const nobody = () => {
  throw new Error("nobody waits here");
};

describe("one trainer a browser", () => {
  it("trains without a lock where locks are denied, and once", async () => {
    let works = 0;
    expect(await holdTabLock(signal, nobody, async () => ++works, denied)).toBe(1);
    expect(works).toBe(1);
  });

  it("trains without a lock where the browser never answers, and once, should it answer after all", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const silent: LockManager = {
      request: async (_: string, ...rest: unknown[]) => {
        await answered;
        const granted = rest.at(-1);
        return typeof granted === "function" ? granted({ name: "", mode: "exclusive" }) : undefined;
      },
      query: () => new Promise(() => {}),
    };
    const soon: After = (_, callback) => {
      queueMicrotask(callback);
      return () => {};
    };
    let works = 0;
    expect(await holdTabLock(signal, nobody, async () => ++works, silent, soon)).toBe(1);
    answer();
    await answered;
    await Promise.resolve();
    expect(works).toBe(1);
  });

  it("A20: waits for the one who holds it, and says so", async () => {
    const { locks } = navigator;
    const release = Promise.withResolvers<void>();
    const first = holdTabLock(signal, nobody, () => release.promise, locks);
    const told = Promise.withResolvers<void>();
    const second = holdTabLock(
      signal,
      () => told.resolve(),
      async () => "mine",
      locks,
    );
    await told.promise;
    release.resolve();
    await first;
    expect(await second).toBe("mine");
  });

  it("A20, the control: without locks two train at once", async () => {
    const both = Promise.withResolvers<void>();
    let at = 0;
    const train = () => {
      if (++at === 2) both.resolve();
      return both.promise;
    };
    await Promise.all([
      holdTabLock(signal, nobody, train, denied),
      holdTabLock(signal, nobody, train, denied),
    ]);
    expect(at).toBe(2);
  });

  it("passes on what the work itself threw, without doing it again", async () => {
    let works = 0;
    const failing = async () => {
      works++;
      throw new Error("no device");
    };
    await expect(holdTabLock(signal, nobody, failing, navigator.locks)).rejects.toThrow("no device");
    expect(works).toBe(1);
  });
});
