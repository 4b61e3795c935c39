import { describe, expect, test } from "vitest";
import type { VolunteerKey } from "../../protocol/ids.ts";
import { MemoryFiles } from "../../test/harness/memory-files.ts";
import { memoryIndex } from "../../test/harness/memory-index.ts";
import type { Effect } from "../coordinator/events.ts";
import { begin } from "../coordinator/state.ts";
import { fileStore } from "../store/file-store.ts";
import { Dispatcher } from "./dispatcher.ts";
import { serverIdentity } from "./server-key.ts";
import { WaitingList } from "./waiting-list.ts";

const volunteer = "v".repeat(43) as VolunteerKey;
const here = () => false;
const identity = await serverIdentity(await fileStore(new MemoryFiles(), memoryIndex(), { salt: () => 7 }));

/** A dispatcher of a run that answers requests for work as it is told, one after another. */
function dispatcherOf(answers: Effect[], { draining = false, closed = false } = {}) {
  const hash = "0".repeat(64) as ReturnType<typeof begin>["hash"];
  let now = 0;
  const run = {
    state: begin({ type: "created", at: 0, hash, genesis: {} }),
    closed,
    clock: { now: () => now },
    waiting: new WaitingList(),
    events: { take: () => answers.splice(0, 1) },
    publisher: { settled: async () => {}, behind: false },
  };
  const dispatcher = new Dispatcher({
    run,
    identity,
    random: (bytes) => new Uint8Array(bytes),
    draining: () => draining,
  });
  const at = (ms: number) => {
    now = ms;
    run.waiting.wake();
  };
  return { dispatcher, at };
}

describe("a request for work", () => {
  test("is refused while the operator drains the run, and while it is closed", async () => {
    for (const state of [{ draining: true }, { closed: true }]) {
      const { dispatcher } = dispatcherOf([], state);
      await expect(dispatcher.ticket(volunteer, {}, here)).rejects.toMatchObject({ code: "run-paused" });
    }
  });

  test("is refused with the reducer's code and time", async () => {
    const { dispatcher } = dispatcherOf([{ type: "refuse", code: "no-work", retryAfterMs: 7 }]);
    await expect(dispatcher.ticket(volunteer, {}, here)).rejects.toMatchObject({
      code: "no-work",
      retryAfterMs: 7,
    });
  });

  test("is asked again when its wait is over, and not before", async () => {
    const { dispatcher, at } = dispatcherOf([
      { type: "hold", until: 100 },
      { type: "refuse", code: "run-finished" },
    ]);
    let refused = false;
    const asking = dispatcher.ticket(volunteer, {}, here).catch(() => {
      refused = true;
    });
    await Promise.resolve();
    for (const ms of [10, 99]) {
      at(ms);
      await new Promise<void>((resolve) => setImmediate(resolve));
      expect(refused).toBe(false);
    }
    at(100);
    await asking;
    expect(refused).toBe(true);
  });

  test("of somebody who has left gets nothing", async () => {
    const { dispatcher } = dispatcherOf([]);
    await expect(dispatcher.ticket(volunteer, {}, () => true)).rejects.toMatchObject({ code: "bad-request" });
  });

  test("that the reducer leaves unanswered is an error, and no ticket", async () => {
    const { dispatcher } = dispatcherOf([]);
    await expect(dispatcher.ticket(volunteer, {}, here)).rejects.toMatchObject({ code: "internal-error" });
  });
});
