import { expect, it, vi } from "vitest";
import { ManualTimer } from "../../test/harness/manual-timer.ts";
import { SILENCE_MS, silenceFor, Watchdog } from "./watchdog.ts";

it("calls back once after the silence it waits for, and not when something was heard meanwhile", () => {
  const timer = new ManualTimer();
  const silent = vi.fn();
  const dog = new Watchdog(silent, timer.after);
  dog.start(1_000);
  timer.pass(999);
  dog.heard();
  timer.pass(999);
  expect(silent).not.toHaveBeenCalled();
  timer.pass(1);
  expect(silent).toHaveBeenCalledExactlyOnceWith(1_000);
  dog.heard(); // there is no wait any more
  timer.pass(10_000);
  expect(silent).toHaveBeenCalledTimes(1);
});

it("waits for nothing once it was stopped", () => {
  const timer = new ManualTimer();
  const silent = vi.fn();
  const dog = new Watchdog(silent, timer.after);
  dog.start(1_000);
  dog.stop();
  timer.pass(10_000);
  expect(silent).not.toHaveBeenCalled();
});

it("counts an hour in which the process stood still as a part of the silence", () => {
  const timer = new ManualTimer();
  const silent = vi.fn();
  new Watchdog(silent, timer.after).start(1_000);
  timer.jump(3_600_000);
  expect(silent).not.toHaveBeenCalled();
  timer.pass(750);
  expect(silent).toHaveBeenCalledTimes(1);
});

it("waits longer where one step of a large model takes longer", () => {
  expect(silenceFor(1_000, 1_000)).toBe(SILENCE_MS);
  expect(silenceFor(64e6, 8 * 1_024)).toBeGreaterThan(10 * SILENCE_MS);
});
