import { describe, expect, test } from "vitest";
import { ModelError } from "../../../model/contract/config.ts";
import type { DeviceName } from "../../../model/contract/trainer.ts";
import { optimizer, shape, timedCandidates } from "../../../test/harness/timed-candidates.ts";
import { memoryCache } from "../../cache/cache.ts";
import { Control } from "../control.ts";
import type { Report } from "../messages.ts";
import type { Candidate } from "./candidate.ts";
import { ProbedTrainers } from "./probed-trainers.ts";
import { NoDevice } from "./trainers.ts";

describe("ProbedTrainers", () => {
  function seated(candidates: (own: ReturnType<typeof timedCandidates>) => Candidate[], only?: DeviceName) {
    const own = timedCandidates();
    const reports: Report[] = [];
    const checked: (string | undefined)[] = [];
    const report = (one: Report) => reports.push(one);
    const cache = memoryCache();
    const make = () =>
      new ProbedTrainers({
        candidates: candidates(own),
        only,
        options: { shape, optimizer },
        cache,
        description: "a browser",
        today: () => 0,
        control: new Control(report, 1),
        report,
        clock: own.clock,
        sleep: () => new Promise(() => undefined),
        check: async (_, inner) => {
          checked.push(inner);
        },
      });
    return { ...own, trainers: make(), make, reports, checked };
  }
  const lost = new ModelError("device-lost", "reset");

  test("A18: a lost device is rebuilt once, and replaced when it is lost again", async () => {
    const { trainers, alive, reports } = seated(({ candidate }) => [
      candidate("webgpu", "fast", 1),
      candidate("wasm", "fast", 10),
    ]);
    await trainers.take(4);
    trainers.lost(lost);
    expect(alive()).toEqual([]);
    await trainers.take(4);
    expect(alive()).toEqual(["webgpu/fast"]);
    trainers.lost(lost);
    await trainers.take(4);
    expect(alive()).toEqual(["wasm/fast"]);
    expect(reports.filter(({ type }) => type === "device")).toHaveLength(2);
    trainers.lost(lost);
    await trainers.take(4);
    trainers.lost(lost);
    await expect(trainers.take(4)).rejects.toThrow(NoDevice);
  });

  test("a ticket finished in between forgives", async () => {
    const { trainers, alive } = seated(({ candidate }) => [
      candidate("webgpu", "fast", 1),
      candidate("wasm", "fast", 9),
    ]);
    for (let i = 0; i < 5; i++) {
      await trainers.take(4);
      trainers.lost(lost);
      await trainers.take(4);
      trainers.proved();
    }
    expect(alive()).toEqual(["webgpu/fast"]);
  });

  test("a larger micro-batch gets a trainer that fits it, the same one from then on", async () => {
    const { trainers, alive, made } = seated(({ candidate }) => [candidate("wasm", "fast", 1)]);
    const first = await trainers.take(4);
    expect(await trainers.take(2)).toBe(first);
    const second = await trainers.take(16);
    expect(second).not.toBe(first);
    expect(await trainers.take(4)).toBe(second);
    expect(alive()).toHaveLength(1);
    expect(made).toHaveLength(2);
  });

  test("another inner optimiser gets a trainer of its own, on the same device; the same one does not", async () => {
    const { trainers, alive, made, checked } = seated(({ candidate }) => [candidate("wasm", "fast", 1)]);
    const adamW = await trainers.take(4);
    expect(await trainers.take(4, "adamw")).toBe(adamW);
    const muon = await trainers.take(4, "muon");
    expect(muon).not.toBe(adamW);
    expect(await trainers.take(2, "muon")).toBe(muon);
    expect(await trainers.take(4), "what was used last").toBe(muon);
    expect(alive()).toHaveLength(1);
    expect(made.map(({ inner }) => inner)).toEqual(["adamw", "muon"]);
    expect(checked, "each once").toEqual(["adamw", "muon"]);
  });

  test("the visitor's choice of device is kept, or refused with its reason", async () => {
    const { trainers, loaded } = seated(
      ({ candidate }) => [candidate("webgpu", "fast", 1), candidate("wasm", "fast", 9)],
      "wasm",
    );
    await trainers.take(4);
    expect(loaded).toEqual(["wasm/fast"]);
    const none = seated(
      ({ candidate }) => [candidate("webgpu", "fast", 1, "make"), candidate("wasm", "fast", 9)],
      "webgpu",
    );
    await expect(none.trainers.take(4)).rejects.toThrow("no adapter");
  });

  test("the winner is remembered for the next visit", async () => {
    const { trainers, make, loaded } = seated(({ candidate }) => [
      candidate("webgpu", "fast", 100),
      candidate("wasm", "fast", 10),
    ]);
    await trainers.take(4);
    loaded.length = 0;
    await make().take(4);
    expect(loaded).toEqual(["wasm/fast"]);
  });
});
