import { describe, expect, test } from "vitest";
import { Control, Stopped } from "./control.ts";
import type { Phase } from "./messages.ts";
import { holdTabLock } from "./tab-lock.ts";

function controlled() {
  const phases: Phase[] = [];
  const control = new Control((report) => report.type === "phase" && phases.push(report.phase), 1);
  return { control, phases };
}

describe("Control", () => {
  test("a turn waits while paused, whatever the reasons, and goes on after one resume", async () => {
    const { control } = controlled();
    await control.checkpoint();
    control.pause("hidden");
    control.pause("visitor");
    let passed = false;
    const turn = control.checkpoint().then(() => {
      passed = true;
    });
    await new Promise(setImmediate);
    expect(passed).toBe(false);
    control.resume();
    await turn;
    expect(passed).toBe(true);
  });

  test("stop ends a wait and every later turn", async () => {
    const { control } = controlled();
    control.pause("battery");
    const turn = control.checkpoint();
    control.stop();
    await expect(turn).rejects.toThrow(Stopped);
    await expect(control.checkpoint()).rejects.toThrow(Stopped);
  });

  test("a pause is shown over whatever the loop does, and what it does comes back after", () => {
    const { control, phases } = controlled();
    control.enter({ phase: "training" });
    control.pause("visitor");
    control.enter({ phase: "sending", bytes: 5 });
    control.resume();
    expect(phases.map(({ phase }) => phase)).toEqual(["training", "paused", "sending"]);
  });

  test("the end is always shown", () => {
    const { control, phases } = controlled();
    control.pause("visitor");
    control.enter({ phase: "stopped" });
    expect(phases.at(-1)).toEqual({ phase: "stopped" });
  });

  test("a share outside (0, 1] is not taken", () => {
    const { control } = controlled();
    control.share = 0;
    expect(control.share).toBe(1);
    control.share = 7;
    expect(control.share).toBe(1);
    control.share = 0.3;
    expect(control.share).toBe(0.3);
  });
});

describe("one trainer a browser", () => {
  test("A20: the second tab waits, says so, and takes over when the first ends", async () => {
    const log: string[] = [];
    const first = Promise.withResolvers<void>();
    const signal = new AbortController().signal;
    const one = holdTabLock(
      signal,
      () => log.push("one waits"),
      () => first.promise,
    );
    const waits = Promise.withResolvers<void>();
    const two = holdTabLock(signal, waits.resolve, async () => log.push("two trains"));
    await waits.promise;
    expect(log).toEqual([]);
    first.resolve();
    await Promise.all([one, two]);
    expect(log).toEqual(["two trains"]);
  });

  test("a waiting tab can be stopped", async () => {
    const first = Promise.withResolvers<void>();
    const control = new AbortController();
    const one = holdTabLock(
      control.signal,
      () => undefined,
      () => first.promise,
    );
    const stop = () => control.abort(new Stopped());
    await expect(holdTabLock(control.signal, stop, () => Promise.resolve())).rejects.toThrow(Stopped);
    first.resolve();
    await one;
  });

  test("an error of the work comes through, and frees the turn", async () => {
    const signal = new AbortController().signal;
    const fail = () => Promise.reject(new Error("mine"));
    await expect(holdTabLock(signal, () => undefined, fail)).rejects.toThrow("mine");
    expect(
      await holdTabLock(
        signal,
        () => undefined,
        async () => 5,
      ),
    ).toBe(5);
  });
});
