import { describe, expect, test, vi } from "vitest";
import { ModelError } from "../../../model/contract/config.ts";
import type { DeviceName, DeviceReport } from "../../../model/contract/trainer.ts";
import { ToyTrainer } from "../../../test/harness/toy-run.ts";
import { memoryCache } from "../../cache/cache.ts";
import { Control } from "../control.ts";
import type { Report } from "../messages.ts";
import { sleep } from "../time.ts";
import { type Candidate, nodeCandidates } from "./devices.ts";
import { probe } from "./probe.ts";
import { ProbedTrainers } from "./probed-trainers.ts";
import { NoDevice } from "./trainers.ts";

const shape = { layers: 1, heads: 1, width: 4, context: 8, vocabulary: 256 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1 };

/** A clock that only steps move, and candidates whose steps take so long. */
function bench() {
  let now = 0;
  const made: { id: string; trainer: ToyTrainer }[] = [];
  const loaded: string[] = [];
  const candidate = (
    device: DeviceName,
    engine: DeviceReport["engine"],
    ms: number,
    refuse?: "load" | "make" | "step",
  ): Candidate => ({
    device,
    engine,
    load: async () => {
      loaded.push(`${device}/${engine}`);
      if (refuse === "load") throw new Error("the script is blocked");
      return async () => {
        if (refuse === "make") throw new ModelError("device-unavailable", "no adapter");
        const trainer = new ToyTrainer();
        trainer.onStep = () => {
          if (refuse === "step") throw new ModelError("device-lost", "reset");
          now += ms;
        };
        made.push({ id: `${device}/${engine}`, trainer });
        return trainer;
      };
    },
  });
  const alive = () => made.filter(({ trainer }) => !trainer.disposed).map(({ id }) => id);
  const run = (candidates: readonly Candidate[], remembered?: string, check = async () => undefined) =>
    probe({
      candidates,
      options: { shape, optimizer, batch: 2 },
      remembered,
      trying: () => undefined,
      clock: () => now,
      sleep: () => new Promise(() => undefined),
      signal: new AbortController().signal,
      check: check as () => Promise<void>,
    });
  return { candidate, alive, run, loaded, made, clock: () => now };
}

describe("the probe", () => {
  test("what was remembered and failed is forgotten, and the candidate tried once more", async () => {
    const { candidate, run, loaded, alive } = bench();
    let remembers = true;
    const forget = async () => {
      const was = remembers;
      remembers = false;
      return was;
    };
    const gpu = { ...candidate("webgpu", "fast", 10), forget };
    const check = async () => {
      if (remembers) throw new ModelError("device-wrong", "a gradient is off");
      return undefined;
    };
    const { results } = await run([gpu], undefined, check);
    expect(results).toEqual([{ device: "webgpu", engine: "fast", outcome: { tokensPerSecond: 1_600 } }]);
    expect(loaded).toEqual(["webgpu/fast", "webgpu/fast"]);
    expect(alive()).toEqual(["webgpu/fast"]);

    const hopeless = bench();
    const always = async () => Promise.reject(new ModelError("device-wrong", "a gradient is off"));
    await expect(
      hopeless.run([{ ...hopeless.candidate("webgpu", "fast", 10), forget }], undefined, always),
    ).rejects.toThrow("a gradient is off");
    expect(hopeless.loaded).toEqual(["webgpu/fast"]);
  });

  test("picks the most tokens a second, frees the others, and leaves tfjs alone where it is not needed", async () => {
    const { candidate, alive, run, loaded } = bench();
    const { results } = await run([
      candidate("webgpu", "fast", 100),
      candidate("wasm", "fast", 10),
      candidate("webgpu", "tfjs", 1),
      candidate("cpu", "tfjs", 1),
    ]);
    expect(alive()).toEqual(["wasm/fast"]);
    expect(loaded).toEqual(["webgpu/fast", "wasm/fast"]);
    expect(results).toEqual([
      { device: "webgpu", engine: "fast", outcome: { tokensPerSecond: 160 } },
      { device: "wasm", engine: "fast", outcome: { tokensPerSecond: 1_600 } },
    ]);
  });

  test("whatever a candidate throws is its reason, and the next is tried", async () => {
    const { candidate, alive, run } = bench();
    const { results } = await run([
      candidate("webgpu", "fast", 1, "make"),
      candidate("wasm", "fast", 1, "load"),
      candidate("webgpu", "tfjs", 1, "step"),
      candidate("wasm", "tfjs", 50),
      candidate("cpu", "tfjs", 1),
    ]);
    expect(alive()).toEqual(["wasm/tfjs"]);
    expect(results.map(({ outcome }) => ("refused" in outcome ? outcome.refused : "runs"))).toEqual([
      "no adapter",
      "the script is blocked",
      "reset",
      "runs",
    ]);
  });

  test("a device that computes the known gradient wrong is out, however fast", async () => {
    const { candidate, run } = bench();
    let first = true;
    const check = async () => {
      if (!first) return;
      first = false;
      throw new ModelError("device-wrong", "computes zeros");
    };
    const { candidate: winner } = await run(
      [candidate("webgpu", "fast", 1), candidate("wasm", "fast", 100)],
      undefined,
      check as () => Promise<undefined>,
    );
    expect(winner.device).toBe("wasm");
  });

  test("stops looking when its time is over", async () => {
    const { candidate, run, loaded } = bench();
    await run([
      candidate("webgpu", "tfjs", 1_500),
      candidate("wasm", "tfjs", 1),
      candidate("webgl", "tfjs", 1),
    ]);
    expect(loaded).toEqual(["webgpu/tfjs"]);
  });

  test("a remembered winner is checked, and nothing else is tried", async () => {
    const { candidate, run, loaded } = bench();
    const candidates = [candidate("webgpu", "fast", 1), candidate("wasm", "fast", 10)];
    expect((await run(candidates, "wasm/fast")).candidate.device).toBe("wasm");
    expect(loaded).toEqual(["wasm/fast"]);
  });

  test("a remembered winner that fails gives way", async () => {
    const { candidate, run } = bench();
    const candidates = [candidate("webgpu", "fast", 1, "make"), candidate("wasm", "fast", 10)];
    expect((await run(candidates, "webgpu/fast")).candidate.device).toBe("wasm");
  });

  test("with nothing left it says why, one by one", async () => {
    const { candidate, run } = bench();
    const probing = run([candidate("webgpu", "fast", 1, "make"), candidate("cpu", "tfjs", 1, "load")]);
    await expect(probing).rejects.toThrow(NoDevice);
    await expect(probing).rejects.toThrow("webgpu (fast): no adapter; cpu (tfjs): the script is blocked");
  });

  /** How long a probe waits for a WebGPU that never answers, with the candidates in this order. */
  async function waits(order: (hung: Candidate, wasm: Candidate) => Candidate[], disguised = false) {
    vi.useFakeTimers();
    try {
      const hung: Candidate = {
        device: "webgpu",
        engine: "fast",
        load: () => new Promise(() => undefined),
        disguised: async () => disguised,
      };
      const probing = probe({
        candidates: order(hung, bench().candidate("wasm", "fast", 10)),
        options: { shape, optimizer, batch: 2 },
        trying: () => undefined,
        clock: () => Date.now(),
        sleep,
        signal: new AbortController().signal,
        check: async () => undefined,
      });
      const began = Date.now();
      let ended = 0;
      const { device } = (
        await Promise.all([
          probing.finally(() => {
            ended = Date.now();
          }),
          vi.advanceTimersByTimeAsync(100_000),
        ])
      )[0].candidate;
      return { device, seconds: (ended - began) / 1_000 };
    } finally {
      vi.useRealTimers();
    }
  }

  test("a driver that never answers is given up, sooner where another device serves", async () => {
    expect(await waits((hung, wasm) => [hung, wasm])).toEqual({ device: "wasm", seconds: 90 });
    expect(await waits((hung, wasm) => [wasm, hung])).toEqual({ device: "wasm", seconds: 20 });
  });

  test("a software adapter gets what is left of two seconds where the processor itself serves", async () => {
    expect(await waits((hung, wasm) => [wasm, hung], true)).toEqual({ device: "wasm", seconds: 2 });
  });

  test("this machine has a candidate that computes the known gradient", async () => {
    const { trainer, results } = await probe({
      candidates: nodeCandidates(),
      options: { shape, optimizer, batch: 2 },
      trying: () => undefined,
      clock: () => performance.now(),
      sleep,
      signal: new AbortController().signal,
    });
    expect(results.some(({ outcome }) => "tokensPerSecond" in outcome)).toBe(true);
    expect(["wasm", "cpu"]).toContain(trainer.report.device);
    trainer.dispose();
  });
});

describe("ProbedTrainers", () => {
  function seated(candidates: (own: ReturnType<typeof bench>) => Candidate[], only?: DeviceName) {
    const own = bench();
    const reports: Report[] = [];
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
        check: async () => undefined,
      });
    return { ...own, trainers: make(), make, reports };
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
