import { expect, it } from "vitest";
import { type After, TimedOut, withDeadline } from "./deadline.ts";

/** A clock that moves by hand: {@link pass} fires what is due, one timer after the other. */
function handClock() {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  const after: After = (ms, callback) => {
    const timer = { at: now + ms, callback };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  /** Moves on; a jump is a sleep: whatever came due meanwhile fires once, late. */
  const jump = (ms: number) => {
    now += ms;
    for (const timer of [...timers]) {
      if (timer.at > now) continue;
      timers.delete(timer);
      timer.callback();
    }
  };
  return { after, jump, timers };
}

const never = new Promise<string>(() => {});

it("what settles in time settles as it would, and leaves no timer behind", async () => {
  const { after, timers } = handClock();
  await expect(withDeadline(Promise.resolve("yes"), 1_000, "it", after)).resolves.toBe("yes");
  await expect(withDeadline(Promise.reject(new Error("no")), 1_000, "it", after)).rejects.toThrow("no");
  expect(timers.size).toBe(0);
});

it("what never answers is given up after the limit, by name, and not before", async () => {
  const { after, jump } = handClock();
  let failed: unknown;
  withDeadline(never, 1_000, "the adapter", after).catch((error: unknown) => {
    failed = error;
  });
  for (let i = 0; i < 3; i++) jump(250);
  await Promise.resolve();
  expect(failed).toBeUndefined();
  jump(250);
  await Promise.resolve();
  await Promise.resolve();
  expect(failed).toBeInstanceOf(TimedOut);
  expect(String(failed)).toContain("the adapter did not answer within 1 s");
});

it("a machine that slept does not make what it waits for late", async () => {
  const { after, jump } = handClock();
  let failed = false;
  const answer = Promise.withResolvers<string>();
  const waited = withDeadline(answer.promise, 1_000, "it", after).catch(() => {
    failed = true;
  });
  jump(3_600_000); // one timer fires for the whole hour
  await Promise.resolve();
  expect(failed).toBe(false);
  answer.resolve("awake");
  await expect(waited).resolves.toBe("awake");
});
