import { describe, expect, it } from "vitest";
import type { After } from "../../model/lib/deadline.ts";
import { holdTabLock, TabLockTaken } from "./tab-lock.ts";
import { answerOtherTabs, doesAnyTabTrain } from "./tab-presence.ts";

/** A lock manager that denies everything, as in a third-party frame without storage access. */
const denied: Pick<LockManager, "request" | "query"> = {
  request: () => Promise.reject(new DOMException("The request was denied.", "SecurityError")),
  query: () => Promise.reject(new DOMException("The request was denied.", "SecurityError")),
};
const { signal } = new AbortController();
const nobody = () => {
  throw new Error("nobody waits here");
};

/** Time that passes at once. */
const soon: After = (_, callback) => {
  const turn = setImmediate(callback);
  return () => clearImmediate(turn);
};

describe("one trainer a browser", () => {
  it("trains without a lock where locks are denied, and once", async () => {
    let works = 0;
    expect(await holdTabLock(signal, nobody, async () => ++works, { locks: denied })).toBe(1);
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
    let works = 0;
    expect(await holdTabLock(signal, nobody, async () => ++works, { locks: silent, after: soon })).toBe(1);
    answer();
    await answered;
    await Promise.resolve();
    expect(works).toBe(1);
  });

  it("A20: waits for the one who holds it, and says so", async () => {
    const { locks } = navigator;
    const release = Promise.withResolvers<void>();
    const first = holdTabLock(signal, nobody, () => release.promise, { locks });
    const told = Promise.withResolvers<void>();
    const second = holdTabLock(
      signal,
      () => told.resolve(),
      async () => "mine",
      { locks },
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
      holdTabLock(signal, nobody, train, { locks: denied }),
      holdTabLock(signal, nobody, train, { locks: denied }),
    ]);
    expect(at).toBe(2);
  });

  it("passes on what the work itself threw, without doing it again", async () => {
    let works = 0;
    const failing = async () => {
      works++;
      throw new Error("no device");
    };
    await expect(holdTabLock(signal, nobody, failing)).rejects.toThrow("no device");
    expect(works).toBe(1);
  });

  it("takes over from a tab that says nothing, which must then end", async () => {
    const frozen = holdTabLock(signal, nobody, () => new Promise(() => {}));
    let waited = 0;
    const second = holdTabLock(
      signal,
      () => waited++,
      async () => "mine",
      { after: soon, doesAnyTabTrain: async () => false },
    );
    await expect(frozen).rejects.toThrow(TabLockTaken);
    expect(await second).toBe("mine");
    expect(waited).toBe(1);
  });

  it("does not take over from a tab that answers, however long it waits", async () => {
    const release = Promise.withResolvers<string>();
    const first = holdTabLock(signal, nobody, () => release.promise);
    const asked = Promise.withResolvers<void>();
    let times = 0;
    const second = holdTabLock(
      signal,
      () => {},
      async () => "mine",
      {
        after: soon,
        doesAnyTabTrain: async () => {
          if (++times === 20) asked.resolve();
          return true;
        },
      },
    );
    await asked.promise;
    release.resolve("first");
    expect(await first).toBe("first");
    expect(await second).toBe("mine");
  });

  it("can be stopped while it asks", async () => {
    const release = Promise.withResolvers<void>();
    const first = holdTabLock(signal, nobody, () => release.promise);
    const stop = new AbortController();
    const second = holdTabLock(
      stop.signal,
      () => {},
      async () => "mine",
      {
        after: soon,
        doesAnyTabTrain: async () => {
          stop.abort(new Error("stopped"));
          return false;
        },
      },
    );
    await expect(second).rejects.toThrow("stopped");
    release.resolve();
    await first;
  });
});

describe("tabs that ask each other", () => {
  it("hear of one that trains, not of one that waits as they do, nor of one that is gone", async () => {
    expect(await doesAnyTabTrain(soon)).toBe(false);
    let trains = false;
    const silence = answerOtherTabs(() => trains);
    expect(await doesAnyTabTrain(soon)).toBe(false);
    trains = true;
    expect(await doesAnyTabTrain()).toBe(true);
    silence();
    expect(await doesAnyTabTrain(soon)).toBe(false);
  });
});
